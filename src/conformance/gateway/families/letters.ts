/** Dead letters: listed, and delivered once more. */
import { isDeepStrictEqual } from "node:util";
import { Broken, type Check } from "../../check";
import { expectStatus, type KitApp } from "../ground/app";
import type { Answer, JsonObject } from "../ground/client";
import type { Delivery } from "../ground/endpoint";
import type { World } from "../world";
import { put } from "./changed";
import { type Gone, gone, lettersOf, list, once, until } from "./gone";

const againMs = 20_000;

function replay(app: KitApp, body: object): Promise<Answer> {
  const { world, app_id } = app;
  return world.request({
    method: "POST",
    path: `/admin/apps/${app_id}/dead-letters/replay`,
    headers: world.admin,
    body,
  });
}

/** The webhooks of an app are on again. @returns how it is shown then */
async function turnedOn({ app }: Gone): Promise<Answer> {
  app.endpoint.reply = () => 204;
  return put(app, { webhook_url: app.endpoint.url, dids: [app.did] });
}

const ids = (letters: readonly JsonObject[]): string => letters.map(({ webhook_id }) => String(webhook_id)).join(", ");

function delivered({ app }: Gone, letter: JsonObject): Promise<Delivery> {
  const { endpoint } = app;
  const find = () => endpoint.events.find(({ id }) => id === letter.webhook_id);
  return endpoint.until(`${String(letter.event)} ${String(letter.webhook_id)} once more`, find, againMs);
}

export const letters: readonly Check<World>[] = [
  {
    id: "letters/listed",
    title: "The event that was answered 410 and all that follow lie among the dead letters at once, the newest first",
    clause: "listDeadLetters",
    profile: "full",
    async run(world) {
      const { events, letters, page } = await once(world);
      const wanted = events
        .slice(1)
        .map(({ sequence, event }) => `#${String(sequence)} ${String(event)}`)
        .reverse()
        .join(", ");
      const got = letters.map(({ sequence, event }) => `#${String(sequence)} ${String(event)}`).join(", ");
      if (got !== wanted || events.length < 4) throw new Broken({ expected: wanted, got, exchanges: [page.exchange] });
      if (page.body?.next_cursor !== null)
        throw new Broken({
          expected: "next_cursor null at the end",
          got: String(page.body?.next_cursor),
          exchanges: [page.exchange],
        });
    },
  },
  {
    id: "letters/fields",
    title: "A dead letter has the event as it was to be sent, its call, its number and its times",
    clause: "listDeadLetters",
    profile: "full",
    async run(world) {
      const { call, events, letters, page, attempts } = await once(world);
      for (const letter of letters) {
        const event = events.find(({ sequence }) => sequence === letter.sequence);
        const first = letter.sequence === attempts.at(-1)?.sequence;
        const wanted: JsonObject = {
          body: event,
          event: event?.event,
          session_uuid: call.source,
          room_id: undefined,
          attempts: first ? 1 : 0,
          webhook_id: first ? attempts.at(-1)?.id : letter.webhook_id,
          created_at: event?.timestamp,
        };
        for (const [field, value] of Object.entries(wanted)) {
          const same =
            field === "created_at"
              ? Date.parse(String(value)) === Date.parse(String(letter[field]))
              : isDeepStrictEqual(letter[field], value);
          if (!same)
            throw new Broken({
              expected: `${field} ${JSON.stringify(value)}`,
              got: JSON.stringify(letter[field]),
              exchanges: [page.exchange],
            });
        }
        const lived = Date.parse(String(letter.died_at)) - Date.parse(String(letter.created_at));
        if (!(lived >= 0 && lived < 60_000))
          throw new Broken({
            expected: "died_at soon after created_at",
            got: `${lived} ms later`,
            exchanges: [page.exchange],
          });
      }
      if (new Set(letters.map(({ webhook_id }) => webhook_id)).size < letters.length)
        throw new Broken({ expected: "an id for each", got: ids(letters), exchanges: [page.exchange] });
    },
  },
  {
    id: "letters/pages",
    title: "Pages of any length show each dead letter once, in the same order",
    clause: "listDeadLetters: limit, cursor",
    profile: "full",
    async run(world) {
      // The same letters all the time: none of them is replayed before.
      const { app, letters } = await once(world);
      for (const limit of [1, 2]) {
        const walked: JsonObject[] = [];
        let cursor: unknown = "";
        while (cursor !== null && walked.length <= letters.length) {
          const answer = await list(app, `?limit=${limit}${cursor === "" ? "" : `&cursor=${String(cursor)}`}`);
          const page = lettersOf(answer);
          if (page.length > limit)
            throw new Broken({ expected: `at most ${limit}`, got: String(page.length), exchanges: [answer.exchange] });
          walked.push(...page);
          cursor = answer.body?.next_cursor ?? null;
        }
        if (!isDeepStrictEqual(walked, letters)) throw new Broken({ expected: ids(letters), got: ids(walked) });
      }
    },
  },
  {
    id: "letters/unknown",
    title: "To replay a dead letter that is not there is refused, and replays none of the others either",
    clause: "replayDeadLetters",
    profile: "full",
    async run(world) {
      const story = await once(world);
      const answer = await replay(story.app, { webhook_ids: [story.letters[0]?.webhook_id, "no-such-letter"] });
      expectStatus(answer, 404);
      const after = await list(story.app, "?limit=100");
      if (lettersOf(after).length !== story.letters.length)
        throw new Broken({
          expected: ids(story.letters),
          got: ids(lettersOf(after)),
          exchanges: [answer.exchange, after.exchange],
        });
    },
  },
  {
    id: "letters/replay",
    title: "Once the app is replaced its webhooks are on again, and each dead letter can be replayed: one, then all",
    clause: "putApp; replayDeadLetters",
    profile: "full",
    limitMs: 60_000,
    async run(world) {
      const story = await gone(world);
      const { app, letters } = story;
      const on = await turnedOn(story);
      if (on.body?.webhook_disabled_at !== null)
        throw new Broken({
          expected: "webhook_disabled_at null",
          got: String(on.body?.webhook_disabled_at),
          exchanges: [on.exchange],
        });
      const again = await app.answered();
      const hangup = await again.hangup();
      if (hangup.sequence !== 5)
        throw new Broken({
          expected: "all 5 events of a new call",
          got: `call.hangup as #${hangup.sequence}`,
          seen: app.endpoint.lines(),
        });
      const chosen = letters.at(-1) ?? {};
      const one = await replay(app, { webhook_ids: [chosen.webhook_id] });
      if (one.body?.replayed !== 1)
        throw new Broken({ expected: "replayed 1", got: String(one.body?.replayed), exchanges: [one.exchange] });
      const first = await delivered(story, chosen);
      if (!isDeepStrictEqual(JSON.parse(first.text), chosen.body))
        throw new Broken({ expected: JSON.stringify(chosen.body), got: first.text });
      const rest = letters.slice(0, -1);
      const left = await until(
        () => list(app, "?limit=100"),
        (answer) => lettersOf(answer).length <= rest.length,
      );
      if (ids(lettersOf(left)) !== ids(rest))
        throw new Broken({
          expected: `what was not replayed: ${ids(rest)}`,
          got: ids(lettersOf(left)),
          exchanges: [left.exchange],
        });
      const all = await replay(app, {});
      if (all.body?.replayed !== rest.length)
        throw new Broken({
          expected: `replayed ${rest.length}`,
          got: String(all.body?.replayed),
          exchanges: [all.exchange],
        });
      for (const letter of rest) {
        const { text } = await delivered(story, letter);
        if (!isDeepStrictEqual(JSON.parse(text), letter.body))
          throw new Broken({ expected: JSON.stringify(letter.body), got: text });
      }
      const none = await until(
        () => list(app, ""),
        (answer) => lettersOf(answer).length === 0,
      );
      if (lettersOf(none).length > 0)
        throw new Broken({
          expected: "no dead letter any more",
          got: ids(lettersOf(none)),
          exchanges: [none.exchange],
        });
      const nothing = await replay(app, {});
      if (nothing.body?.replayed !== 0)
        throw new Broken({
          expected: "replayed 0",
          got: String(nothing.body?.replayed),
          exchanges: [nothing.exchange],
        });
      const times = app.endpoint.deliveries.filter(({ id }) => id === chosen.webhook_id).length;
      if (times !== 2)
        throw new Broken({
          expected: "the attempt that was refused and the replay",
          got: `${times} attempts`,
          seen: app.endpoint.lines(),
        });
    },
  },
  {
    id: "letters/own",
    title: "Dead letters are listed for their own app, and for no other",
    clause: "listDeadLetters",
    profile: "full",
    async run(world) {
      const { letters } = await once(world);
      const answer = await list(await world.other(), "?limit=100");
      const foreign = lettersOf(answer).find(({ webhook_id }) => letters.some((own) => own.webhook_id === webhook_id));
      if (foreign)
        throw new Broken({
          expected: "no dead letter of another app",
          got: ids([foreign]),
          exchanges: [answer.exchange],
        });
    },
  },
];
