/** Delivery is at least once: repeats, late ones, gaps, and attempts whose answer was lost. */
import { setTimeout as delay } from "node:timers/promises";
import { Broken, type Check } from "../check";
import { lifeOfCall, type Told } from "./story";
import type { ReceiverWorld } from "./world";

const atLeastOnce = "webhooks: at least once; drop a webhook-id that was seen";
const order = "webhooks: a repeat, or a replayed dead letter, may come later";

/** Longer than a short memory lasts; the gateway comes again for five minutes. */
const whileMs = 7000;
const busy = new Set([409, 425, 429, 503]);
const accepts = (status: number | null): boolean => status !== null && status >= 200 && status < 300;

interface Repeat {
  readonly name: string;
  readonly title: string;
  readonly clause: string;
  readonly profile?: Check<ReceiverWorld>["profile"];
  /** Its answers tell nothing that others do not. */
  readonly effectsAlone?: boolean;
  /** @returns the events whose effects count */
  tell(world: ReceiverWorld): Promise<readonly Told[]>;
}

const repeats: readonly Repeat[] = [
  {
    name: "same_event",
    title: "An event that comes again",
    clause: atLeastOnce,
    profile: "minimal",
    async tell(world) {
      const call = world.call();
      const told = call.next("call.new");
      for (let i = 0; i < 3; i++) await world.taken(told);
      const next = call.next("call.hangup");
      await world.taken(next);
      await world.taken(next);
      return [told, next];
    },
  },
  {
    name: "fresh_timestamp",
    title: "An event that is tried again, signed anew at another time,",
    clause: "webhooks: signed anew at each attempt, same id",
    async tell(world) {
      const told = world.call().next("call.new");
      for (const clock of [-90, -30, 0]) await world.taken(told, { clock });
      return [told];
    },
  },
  {
    name: "rotated_between",
    title: "An event that comes again with a further signature",
    clause: "rotateWebhookSecret: the old secret signs as well for 24 h",
    async tell(world) {
      const told = world.call().next("call.new");
      await world.taken(told);
      await world.taken(told, { secrets: [`whsec_${Buffer.alloc(32, 3).toString("base64")}`, world.settings.secret] });
      return [told];
    },
  },
  {
    name: "at_the_same_time",
    title: "An event that comes several times at once",
    clause: atLeastOnce,
    async tell(world) {
      const call = world.call();
      const all = [call.next("call.new"), call.next("call.answered"), call.next("call.hangup")];
      for (const told of all) {
        world.expect(told.id, "once");
        const answers = await Promise.all(Array.from({ length: 6 }, () => world.send(world.signed(told))));
        // Whoever is still busy with the first may say so: the gateway comes again.
        const wrong = answers.find(({ status }) => !accepts(status) && !busy.has(status ?? 0));
        if (wrong || !answers.some(({ status }) => accepts(status)))
          throw new Broken({
            expected: "2xx for one of six attempts at least, and that or 409, 425, 429 or 503 for the others",
            got: answers.map(({ status, problem }) => status ?? problem).join(", "),
            exchanges: answers.map(({ exchange }) => exchange),
          });
        await world.taken(told);
      }
      return all;
    },
  },
  {
    name: "after_a_while",
    title: "An event that comes again after some seconds",
    clause: atLeastOnce,
    effectsAlone: true,
    async tell(world) {
      const told = world.call().next("call.new");
      await world.taken(told);
      await delay(whileMs);
      await world.taken(told);
      return [told];
    },
  },
  {
    name: "late_repeat",
    title: "A repeat that comes after newer events",
    clause: order,
    async tell(world) {
      const call = world.call();
      const all = ["call.new", "call.answered", "dtmf", "dtmf", "call.hangup"].map((name) => call.next(name));
      for (const told of all) await world.taken(told);
      for (const i of [2, 0, 3, 4, 1]) {
        const told = all[i];
        if (told) await world.taken(told);
      }
      return all;
    },
  },
  {
    name: "many_between",
    effectsAlone: true,
    title: "A repeat that comes after hundreds of other events",
    clause: order,
    async tell(world) {
      const first = world.call().next("call.new");
      await world.taken(first);
      const others = Array.from({ length: 20 }, () => world.call());
      for (const name of lifeOfCall) await Promise.all(others.map((call) => world.taken(call.next(name))));
      await world.taken(first);
      return [first];
    },
  },
  {
    name: "gap",
    title: "An event behind a gap, whose numbers went to the dead letters,",
    clause: "webhooks: each lower sequence was acknowledged or went to the dead letters",
    async tell(world) {
      const call = world.call();
      const first = call.next("call.new");
      call.skip(3);
      const behind = call.next("dtmf");
      call.skip(1);
      const last = call.next("call.hangup");
      for (const told of [first, behind, last]) await world.taken(told);
      return [first, behind, last];
    },
  },
  {
    name: "no_beginning",
    title: "An event of a call whose beginning was never seen",
    clause: "webhooks: each lower sequence was acknowledged or went to the dead letters",
    async tell(world) {
      const call = world.call();
      call.skip(6);
      const told = call.next("dtmf");
      // An application may care for no call that it does not know: but it has to take its events.
      for (let i = 0; i < 2; i++) await world.taken(told, {}, "at most once");
      return [told];
    },
  },
  {
    name: "after_the_end",
    title: "What comes after the end of a call, new or again,",
    clause: "webhooks: only recording.completed may follow call.hangup; a repeat may come later",
    async tell(world) {
      const call = world.call();
      const all = ["call.new", "call.hangup", "recording.completed"].map((name) => call.next(name));
      for (const told of all) await world.taken(told);
      for (const told of all) await world.taken(told);
      return all;
    },
  },
  {
    name: "dead_letter",
    title: "A dead letter that is delivered after newer events",
    clause: "replayDeadLetters",
    async tell(world) {
      const call = world.call();
      const [first, lost, third] = [call.next("call.new"), call.next("dtmf"), call.next("dtmf")];
      await world.taken(first);
      await world.taken(third);
      // Whether what is late still counts is the application's own business: twice it must not.
      await world.taken(lost, {}, "at most once");
      await world.taken(lost, {}, "at most once");
      return [first, lost, third];
    },
  },
  {
    name: "answer_lost",
    title: "An event that comes again because its answer was lost",
    clause: atLeastOnce,
    async tell(world) {
      const call = world.call();
      const all = [call.next("call.new"), call.next("dtmf"), call.next("call.hangup")];
      for (const told of all) {
        await world.send(world.signed(told, { breaks: "answer" }));
        await world.taken(told);
      }
      return all;
    },
  },
  {
    name: "body_broken_off",
    title: "An event whose first attempt broke off within its body",
    clause: atLeastOnce,
    async tell(world) {
      const call = world.call();
      const all = [call.next("call.new"), call.next("call.hangup")];
      for (const told of all) {
        await world.send(world.signed(told, { breaks: "body" }));
        await world.taken(told);
      }
      return all;
    },
  },
  {
    name: "room_and_call",
    title: "A call and a room, each with numbers of its own,",
    clause: "webhooks: session_uuid or room_id names the sequence",
    async tell(world) {
      const { call, room } = world.namesakes();
      const other = world.call();
      const all = [
        ...["call.new", "call.answered", "conference.member.joined"].map((name) => call.next(name)),
        ...["conference.created", "conference.play.started", "conference.destroyed"].map((name) => room.next(name)),
        ...["call.new", "dtmf", "call.hangup"].map((name) => other.next(name)),
      ];
      for (const told of all) await world.taken(told);
      return all;
    },
  },
  {
    name: "alike",
    title: "Events that are alike but for their numbers",
    clause: atLeastOnce,
    async tell(world) {
      const call = await world.ringing();
      const all = Array.from({ length: 5 }, () => call.next("dtmf"));
      for (const told of all) await world.taken(told);
      return all;
    },
  },
];

/** Each story is told twice: once for its answers, once for its effects, which only a probe can see. */
export const repeated: readonly Check<ReceiverWorld>[] = repeats
  .filter(({ effectsAlone }) => !effectsAlone)
  .map(({ name, title, clause, profile = "full", tell }) => {
    const run = async (world: ReceiverWorld) => void (await tell(world));
    return { id: `repeats/${name}`, title: `${title} is answered 2xx`, clause, profile, run };
  });

export const repeatedEffects: readonly Check<ReceiverWorld>[] = repeats.map(({ name, title, clause, tell }) => ({
  id: `effects/${name}`,
  title: `${title} takes effect once`,
  clause,
  profile: "full",
  async run(world) {
    world.watched();
    const all = await tell(world);
    await world.settled(all.map(({ id }) => id));
  },
}));
