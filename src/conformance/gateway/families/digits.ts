/** Keys and what is collected of them. */
import { type Check, Skipped } from "../../check";
import type { KitCall } from "../ground/app";
import type { ScriptStep } from "../ground/caller";
import { expectBetween, expectFields, expectSame } from "../ground/expectation";
import { onCall, onCallWithSounds } from "../ground/on_call";
import type { World } from "../world";
import { questions } from "./questions";

const clause = "play_and_get_digits, digits.collected";
/** For keys at a thumb's pace, on a machine that has much to do. */
const keyingMs = 20_000;
/** Between two keys: a media server that is held up takes two that come close together for one. */
const thumbMs = 200;

/** Keys, once the app has asked for them: behind the results of the answer and of the question. */
const keyed = (digits: string): readonly ScriptStep[] => [
  { do: "wait_for", event: "command.result" },
  { do: "wait_for", event: "command.result" },
  { do: "press", digits, gap_ms: thumbMs },
];

export const digits: readonly Check<World>[] = [
  ...questions.map(({ id, title, keys, rules, digits, terminator, status }) =>
    onCallWithSounds({
      id: `digits/${id}`,
      title,
      clause,
      script: keys === "" ? [] : keyed(keys),
      limitMs: 45_000,
      async run({ call, sounds }) {
        await call.done("playAndGetDigits", { command_uid: "pin", prompt_files: [sounds.tone(60)], ...rules });
        const { data, timestamp } = await call.event("digits.collected", 0, keyingMs);
        heardAs(call, keys);
        expectSame("digits.collected", data, { command_uid: "pin", digits, terminator, status }, { of: call });
        const last = call.named("dtmf").at(-1);
        if (typeof rules.digit_timeout_ms !== "number" || !last) return;
        const waited = Date.parse(timestamp) - Date.parse(last.timestamp);
        expectBetween("ms from the last key to the end", waited, 500, rules.digit_timeout_ms + 3000, { of: call });
      },
    }),
  ),
  onCall({
    id: "digits/keys",
    title: "Each key is one event, in order, with the time that it was held",
    clause: "dtmf",
    script: [
      { do: "wait_for", event: "call.answered" },
      { do: "wait", ms: 300 },
      { do: "press", digits: "0159D*#", gap_ms: thumbMs },
    ],
    async run({ call }) {
      await keysOf(call, 7);
      heardAs(call, "0159D*#");
      expectSame(
        "the keys",
        call
          .named("dtmf")
          .map(({ data }) => data.digit)
          .join(""),
        "0159D*#",
        { of: call },
      );
      for (const { data } of call.named("dtmf")) expectBetween("duration_ms", data.duration_ms, 10, 3000, { of: call });
    },
  }),
  onCallWithSounds({
    id: "digits/before",
    title: "Digits that were keyed before the command do not count",
    clause,
    script: [
      { do: "wait_for", event: "call.answered" },
      { do: "wait", ms: 300 },
      { do: "press", digits: "99", gap_ms: thumbMs },
    ],
    async run({ call, sounds }) {
      await keysOf(call, 2);
      await call.done("playAndGetDigits", { prompt_files: [sounds.tone(60)], max_digits: 3, timeout_ms: 500 });
      const { data } = await call.event("digits.collected", 0, keyingMs);
      expectFields("digits.collected", data, { digits: "", status: "timeout" }, { of: call });
    },
  }),
  onCallWithSounds({
    id: "digits/after-the-prompt",
    title: "The time for the first digit begins when the prompt is over",
    clause,
    async run({ call, sounds }) {
      await call.done("playAndGetDigits", { prompt_files: [sounds.tone(1500)], timeout_ms: 300 });
      const began = Date.now();
      const { at } = await call.event("digits.collected", 0, keyingMs);
      // It began before we knew of it: some of the prompt may have been over by then.
      expectBetween("ms until the end of the time", at - began, 1000, keyingMs, { of: call });
    },
  }),
  onCallWithSounds({
    id: "digits/invalid-files",
    title: "Between two tries the invalid files are played",
    clause,
    async run({ call, sounds }) {
      const invalid = sounds.missing();
      await call.done("playAndGetDigits", {
        command_uid: "pin",
        prompt_files: [sounds.tone(60)],
        invalid_files: [invalid],
        max_tries: 2,
        timeout_ms: 200,
      });
      await call.event("digits.collected", 0, keyingMs);
      const told = call.named("playback.file_not_found").map(({ data }) => data);
      expectSame("playback.file_not_found", told, [{ command_uid: "pin", url: invalid, reason: "not_found" }], {
        of: call,
      });
    },
  }),
  onCallWithSounds({
    id: "digits/no-prompt",
    title: "When no prompt can be played the command failed, and nothing is collected",
    clause: "No file could be played",
    async run({ call, sounds }) {
      const { data } = await call.result("playAndGetDigits", { prompt_files: [sounds.missing(), sounds.text()] });
      const wanted = { success: false, error: "No file could be played", code: "no_file_could_be_played" };
      expectFields("the result", data, wanted, { of: call });
      await call.hangup();
      expectSame("how many collections ended:", call.named("digits.collected").length, 0, { of: call });
    },
  }),
  onCallWithSounds({
    id: "digits/quiet",
    title: "A prompt is no playback: it has no events of its own",
    clause,
    async run({ call, sounds }) {
      await call.done("playAndGetDigits", { prompt_files: [sounds.tone(60)], timeout_ms: 200 });
      await call.event("digits.collected", 0, keyingMs);
      const told = call.events.map(({ event }) => event).filter((name) => name.startsWith("playback."));
      expectSame("events of playback:", told, [], { of: call });
    },
  }),
  onCallWithSounds({
    id: "digits/by-playback",
    title: "A playback ends a collection as unknown, with what was keyed",
    clause,
    script: keyed("7"),
    async run({ call, sounds }) {
      await call.done("playAndGetDigits", {
        command_uid: "pin",
        prompt_files: [sounds.tone(20_000)],
        max_digits: 4,
        timeout_ms: 60_000,
      });
      await keysOf(call, 1);
      await call.done("startPlayback", { urls: [sounds.tone(20_000)] });
      const wanted = { command_uid: "pin", digits: "7", terminator: null, status: "unknown" };
      const { data } = await call.event("digits.collected");
      expectSame("digits.collected", data, wanted, { of: call });
    },
  }),
  onCallWithSounds({
    id: "digits/by-join",
    title: "Joining a room ends a collection as unknown",
    clause,
    async run({ app, call, sounds }) {
      const room = await app.room(call.source);
      await call.done("playAndGetDigits", { command_uid: "pin", prompt_files: [sounds.tone(20_000)] });
      await call.done("joinRoom", { room_id: room.source });
      const { data } = await call.event("digits.collected");
      const wanted = { command_uid: "pin", digits: "", terminator: null, status: "unknown" };
      expectSame("digits.collected", data, wanted, { of: call });
      await room.close();
    },
  }),
  onCallWithSounds({
    id: "digits/by-another",
    title: "Another collection ends one as unknown",
    clause,
    async run({ call, sounds }) {
      await call.done("playAndGetDigits", { command_uid: "one", prompt_files: [sounds.tone(20_000)] });
      await call.doneInTime("playAndGetDigits", { command_uid: "two", prompt_files: [sounds.tone(20_000)] });
      const told = call.named("digits.collected").map(({ data }) => `${data.command_uid} ${data.status}`);
      expectSame("digits.collected", told, ["one unknown"], { of: call });
    },
  }),
  onCallWithSounds({
    id: "digits/replaces",
    title: "A collection ends what plays",
    clause,
    async run({ call, sounds }) {
      await call.done("startPlayback", { command_uid: "hello", urls: [sounds.tone(20_000)] });
      await call.done("playAndGetDigits", { prompt_files: [sounds.tone(20_000)] });
      const { data } = await call.event("playback.stopped");
      expectFields("playback.stopped", data, { command_uid: "hello", reason: "replaced" }, { of: call });
      expectSame("playback", (await call.state()).playback, null, { of: call });
    },
  }),
];

/** @throws Skipped when a media server that is held up heard other keys of a real phone than were pressed */
function heardAs(call: KitCall, keys: string): void {
  const heard = call
    .named("dtmf")
    .map(({ data }) => data.digit)
    .join("");
  if (call.placed.phone && heard !== keys.slice(0, heard.length))
    throw new Skipped(`Of the keys ${keys} the media server heard ${heard}: this machine was too slow for them.`);
}

/** Waits for so many keys. */
async function keysOf(call: KitCall, count: number): Promise<void> {
  const all = () => (call.named("dtmf").length >= count ? true : undefined);
  await call.app.endpoint.until(`${count} keys`, all, keyingMs);
}
