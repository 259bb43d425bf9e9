/** The end of a call: what goes on is told to be over, in order, then the end itself, and of the call nothing is left. */
import { operations } from "../../../../generated/operations";
import type { Check } from "../../check";
import { expectStatus, type KitCall } from "../ground/app";
import type { ScriptStep } from "../ground/caller";
import type { JsonObject } from "../ground/client";
import { expectFields, expectSame, expectThat } from "../ground/expectation";
import { isCommand } from "../ground/ledger";
import { onCall, onCallWithSounds } from "../ground/on_call";
import { Sounds } from "../ground/sounds";
import { bodyFor, orWithout } from "../requests/recipes";
import type { World } from "../world";

const clause = "webhooks: end of a call";

/** Presses keys when the app has asked for them. */
const keysOnAsk = (digits: string): readonly ScriptStep[] => [
  { do: "wait_for", event: "command.result" },
  { do: "wait_for", event: "command.result" },
  { do: "press", digits, gap_ms: 200 },
];

export const endings: readonly Check<World>[] = [
  onCallWithSounds({
    id: "endings/playing",
    title: "A call that ends while something plays in a room: playback, room, the end",
    clause,
    async run({ app, call, sounds }) {
      const room = await app.room(call.source);
      await call.done("joinRoom", { room_id: room.source });
      await call.done("startPlayback", { command_uid: "hello", urls: [sounds.tone(20_000)] });
      const told = await afterHangup(call);
      const [stopped, left, hangup] = told;
      expectNames(call, told, ["playback.stopped", "conference.member.left", "call.hangup"]);
      expectFields("playback.stopped", stopped?.data ?? {}, { command_uid: "hello", reason: "hangup" }, { of: call });
      expectFields(
        "conference.member.left",
        left?.data ?? {},
        { room_id: room.source, reason: "hangup" },
        { of: call },
      );
      expectSame("by", hangup?.data.by, "app", { of: call });
      expectSame("members of the room", (await room.state()).members, [], { of: call });
      await room.close();
    },
  }),
  onCallWithSounds({
    id: "endings/collecting",
    title: "A call that ends while digits are collected: what was keyed, then the end",
    clause,
    script: keysOnAsk("12"),
    async run({ app, call, sounds }) {
      const rules = { max_digits: 5, timeout_ms: 60_000 };
      await call.done("playAndGetDigits", { command_uid: "pin", prompt_files: [sounds.tone(100)], ...rules });
      await app.endpoint.until("two keys", () => (call.named("dtmf").length === 2 ? true : undefined), 15_000);
      const told = await afterHangup(call);
      expectNames(call, told, ["digits.collected", "call.hangup"]);
      const wanted = { command_uid: "pin", digits: "12", terminator: null, status: "unknown" };
      expectSame("digits.collected", told[0]?.data, wanted, { of: call });
    },
  }),
  onCallWithSounds({
    id: "endings/pending",
    title: "A call that ends while a command waits for its file: that command failed with Session ended",
    clause,
    async run({ call, sounds }) {
      const { url, requested, release } = sounds.held(100);
      await call.taken("startPlayback", { command_uid: "late", urls: [url] });
      await requested;
      const told = await afterHangup(call);
      release();
      expectNames(call, told, ["command.result", "call.hangup"]);
      const wanted = { success: false, error: "Session ended", code: "session_ended" };
      expectFields("result of what was pending", resultOf(call, "late"), wanted, { of: call });
    },
  }),
  onCallWithSounds({
    id: "endings/by-caller",
    title: "A caller who hangs up while something plays: playback, then the end",
    clause,
    script: [{ do: "wait_for", event: "playback.started" }, { do: "wait", ms: 300 }, { do: "hangup" }],
    async run({ call, sounds }) {
      await call.done("startPlayback", { command_uid: "hello", urls: [sounds.tone(20_000)] });
      const hangup = await call.event("call.hangup");
      const names = call.events.filter(({ sequence }) => sequence <= hangup.sequence).map(({ event }) => event);
      expectSame("the last two:", names.slice(-2), ["playback.stopped", "call.hangup"], { of: call });
      expectSame("reason", call.named("playback.stopped")[0]?.data.reason, "hangup", { of: call });
      expectSame("by", hangup.data.by, "caller", { of: call });
    },
  }),
  onCall({
    id: "endings/recording",
    title: "A recording that a hangup ends is told, and nothing else follows the call's end",
    clause,
    async run({ call }) {
      const started = await call.command("startRecording", { command_uid: "tape" });
      orWithout(started);
      expectStatus(started, 202);
      await call.app.endpoint.result(String(started.body?.operation_id));
      const told = await afterHangup(call);
      const completed = await call.event("recording.completed", 0, 15_000);
      // A short one may be whole before the call has ended.
      const others = told.filter(({ event }) => event !== "recording.completed");
      expectNames(call, others, ["call.hangup"]);
      const last = Math.max(completed.sequence, others.at(-1)?.sequence ?? 0);
      expectSame("the last event", call.events.at(-1)?.sequence, last, { of: call });
      expectSame("command_uid", completed.data.command_uid, "tape", { of: call });
    },
  }),
  onCall({
    id: "endings/gone",
    title: "An ended call is not found by any of its routes but the one that lists its events",
    clause: "getSession, listSessionEvents",
    ringing: true,
    async run({ world, app, call }) {
      const room = await app.room(call.source);
      await call.state();
      const { sequence } = await call.hangup();
      const ground = { call, room, sounds: await Sounds.of(world) };
      for (const [id, { method, path, session, ended }] of Object.entries(operations)) {
        if (session !== "path" || ended) continue;
        const body = isCommand(id) ? bodyFor(id, ground) : null;
        const target = path.replace("{uuid}", call.source);
        const answer = await world.request({ method, path: target, headers: app.headers, body });
        expectSame(`code of ${id}`, answer.body?.code, "session_not_found", { answers: [answer] });
      }
      const events = await app.get(`/api/v1/sessions/${call.source}/events?after=${sequence - 1}`);
      expectStatus(events, 200);
      const [last] = Array.isArray(events.body?.events) ? events.body.events : [];
      expectSame("the last event", Object(last).event, "call.hangup", { answers: [events] });
      await room.close();
    },
  }),
  onCall({
    id: "endings/not-listed",
    title: "An ended call is not in the list of calls",
    clause: "listSessions",
    async run({ app, call }) {
      const listed = async () => {
        const answer = await app.get("/api/v1/sessions?limit=100");
        const sessions: readonly JsonObject[] = Object(answer.body).sessions ?? [];
        return { answer, found: sessions.some(({ session_uuid }) => session_uuid === call.source) };
      };
      const before = await listed();
      expectThat(before.found, "a call that is answered in the list, for it is new", "none", {
        answers: [before.answer],
      });
      await call.hangup();
      const after = await listed();
      expectThat(!after.found, "no call that has ended in the list", call.source, { answers: [after.answer] });
    },
  }),
];

/**
 * Hangs up. @returns what was told from then on to the end, without the result of the hangup itself: that one follows at
 * once, where others may still be told to be over
 */
async function afterHangup(call: KitCall) {
  const before = call.events.at(-1)?.sequence ?? 0;
  await call.taken("hangup", { command_uid: "bye" });
  const { sequence } = await call.event("call.hangup");
  const told = call.events.filter((each) => each.sequence > before && each.sequence <= sequence);
  const result = told.find(({ event, data }) => event === "command.result" && data.command_uid === "bye");
  expectSame("success of the hangup, before the end of the call", result?.data.success, true, { of: call });
  return told.filter((each) => each !== result);
}

function expectNames(call: KitCall, told: readonly { readonly event: string }[], wanted: readonly string[]): void {
  const names = told.map(({ event }) => event);
  expectSame("what is told of the end:", names, wanted, { of: call });
}

function resultOf(call: KitCall, uid: string): JsonObject {
  return call.named("command.result").find(({ data }) => data.command_uid === uid)?.data ?? {};
}
