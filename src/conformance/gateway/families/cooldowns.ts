/** Rate groups: commands of one group share one window per call or room, and nothing else is in their way. */
import { setTimeout as delay } from "node:timers/promises";
import { operations, rateGroups } from "../../../../generated/operations";
import type { Check } from "../../check";
import { type Commands, expectStatus } from "../ground/app";
import type { Answer } from "../ground/client";
import { expectThat } from "../ground/expectation";
import { commands } from "../ground/ledger";
import { onCall, withCalls } from "../ground/on_call";
import { Sounds } from "../ground/sounds";
import { bodyFor, give, orWithout, prepare } from "../requests/recipes";
import type { World } from "../world";
import { type Group, groundOf, groupOf, membersOf, onGround, shared, tickMs, withoutFail } from "./windows";

const clause = "rate groups";

export const cooldowns: readonly Check<World>[] = [
  ...commands.flatMap((command) => {
    const group = groupOf(command);
    return group ? [shared(command, group), unused(command, group), apart(command)] : [apart(command)];
  }),
  ...(Object.keys(rateGroups) as Group[]).map(own),
  onCall({
    id: "cooldowns/replay",
    title: "A repeat begins no window",
    clause,
    async run({ call }) {
      expectStatus(await call.command("pausePlayback", { command_uid: "one" }), 202);
      await delay(rateGroups.seek + tickMs);
      await call.command("pausePlayback", { command_uid: "one" });
      const answer = await call.command("resumePlayback");
      expectThat(answer.status !== 429, "no cooldown after a repeat", answer.status, { answers: [answer] });
    },
  }),
];

/** What is refused uses up no window. */
function unused(command: Commands, group: Group): Check<World> {
  const { name } = operations[command].command;
  return {
    id: `cooldowns/${group}/refused-${command}`,
    title: `A ${name} that is refused begins no window`,
    clause: "order of checks, step 13",
    profile: "full",
    limitMs: 60_000,
    run: (world) =>
      onGround(world, command, async (ground) => {
        await prepare(command, ground);
        const body = bodyFor(command, ground);
        const { app, source } = ground.call;
        const room = operations[command].command.of === "room";
        // What was needed may have left a window open.
        if (command === "leaveRoom") await delay(rateGroups[group] + tickMs);
        if (room) expectStatus(await give("stopRoom", ground, { command_uid: "take" }), 202);
        if (room) await delay(rateGroups.conference_playback + tickMs);
        const other = await world.other();
        const path = operations[command].path.replace(/\{\w+\}/, room ? ground.room.source : source);
        const refused = [
          await give(command, ground, { ...body, command_uid: "no uid" }),
          await give(command, ground, { ...body, no_such_field: 1 }),
          command === "stopRoom" ? null : await give(command, ground, { ...body, command_uid: "take" }),
          await other.post(path, body),
          await app.post(path, body, { "Content-Type": "text/plain" }),
        ].filter((answer) => answer !== null);
        const lenient = operations[command].body.mode === "lenient";
        for (const [at, answer] of refused.entries())
          if (!(lenient && at === refused.length - 1))
            expectThat(answer.status >= 400 && answer.status !== 429, "a refusal that is no 429", answer.status, {
              answers: [answer],
            });
        if (lenient) return;
        const answer = await give(command, ground, body);
        orWithout(answer);
        expectThat(answer.status !== 429, `${name} that is no 429`, answer.status, { answers: [...refused, answer] });
      }),
  };
}

/** For each group one that can be given at any time; the shorter its window, the later. */
const others: readonly [Commands, Group][] = [
  ["playRoom", "conference_play"],
  ["pauseRoom", "conference_playback"],
  ["playAndGetDigits", "heavy"],
  ["joinRoom", "conference"],
  ["mute", "conference_mute"],
  ["playSilence", "playback"],
  ["pausePlayback", "seek"],
];

/** Whatever was done just before: as long as it is of another group, it is taken. */
function apart(command: Commands): Check<World> {
  const { name } = operations[command].command;
  const group = groupOf(command);
  return {
    id: `cooldowns/${group ?? "none"}/apart-${command}`,
    title: group ? `${name} does not wait for the windows of other groups` : `${name} waits for no window`,
    clause,
    profile: "full",
    limitMs: 60_000,
    run: (world) =>
      onGround(world, command, async (ground) => {
        await prepare(command, ground);
        if (command === "leaveRoom") await delay(rateGroups.conference + 2 * tickMs);
        if (command === "answer") expectStatus(await give(command, ground, {}), 202);
        const before: Answer[] = [];
        for (const [other, own] of others) {
          // A call that is prepared for one of these is in the room, or muted, already.
          const taken = own !== group && !(own === "conference" && group === "conference_mute");
          if (!taken || (other === "mute" && group === "conference")) continue;
          const giving = give(other, ground, bodyFor(other, ground));
          // The last one is still on its way when this one follows: of its window there is not much.
          if (own === "seek")
            return expectFree(command, before, giving, give(command, ground, bodyFor(command, ground)));
          const answer = await giving;
          before.push(answer);
          // Nobody is muted before he is in the room.
          if (other === "joinRoom" && answer.status === 202)
            await withoutFail(() => ground.call.event("conference.member.joined"));
        }
        return expectFree(command, before, null, give(command, ground, bodyFor(command, ground)));
      }),
  };
}

async function expectFree(
  command: Commands,
  before: readonly Answer[],
  beside: Promise<Answer> | null,
  given: Promise<Answer>,
): Promise<void> {
  const [last, answer] = await Promise.all([beside, given]);
  orWithout(answer);
  const about = { answers: [...before.slice(-3), ...(last ? [last] : []), answer] };
  expectThat(answer.status !== 429, `${operations[command].command.name} that is no 429`, answer.status, about);
}

/** A window is one call's, or one room's. */
function own(group: Group): Check<World> {
  const [command] = membersOf(group);
  if (!command) throw new Error(`nothing is of the group ${group}`);
  const { name, of } = operations[command].command;
  return {
    id: `cooldowns/${group}/own`,
    title: `The window of ${group} is that of one ${of === "room" ? "room" : "call"}`,
    clause,
    profile: "full",
    run: async (world) => {
      await Sounds.of(world);
      await withCalls(world, 2, async ({ calls }) => {
        const grounds = [];
        for (const call of calls) grounds.push(await groundOf(call, world));
        for (const each of grounds) await prepare(command, each);
        const answers = [];
        for (const each of grounds) answers.push(await give(command, each, bodyFor(command, each)));
        for (const answer of answers) {
          orWithout(answer);
          expectThat(answer.status !== 429, `${name} that is no 429`, answer.status, { answers });
        }
        for (const { room } of grounds) await room.close();
      });
    },
  };
}
