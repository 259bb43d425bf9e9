/** A first look: one call, on which each thing is done once, in turn. It is all that is asked of a caller for the minimal profile. */
import type { Check } from "../../check";
import { expectStatus, type KitApp, type KitCall } from "../ground/app";
import { expectFields, expectSame, expectThat } from "../ground/expectation";
import { Sounds } from "../ground/sounds";
import { orWithout } from "../requests/recipes";
import type { World } from "../world";

/** For somebody who is asked to press keys. */
const keyingMs = 30_000;
const limitMs = 120_000;

interface Stop {
  readonly id: string;
  readonly title: string;
  readonly clause: string;
  see(app: KitApp, call: KitCall, world: World): Promise<void>;
}

const stops: readonly Stop[] = [
  {
    id: "rings",
    title: "A call is told of, and rings",
    clause: "call.new",
    async see(app, call) {
      const { data } = await call.event("call.new");
      expectFields("call.new", data, { did: app.did, direction: "inbound" }, { of: call });
      expectFields("the call", await call.state(), { state: "ringing", answered_at: null }, { of: call });
    },
  },
  {
    id: "answered",
    title: "It is answered",
    clause: "answer",
    async see(_, call) {
      await call.done("answer", { command_uid: "take" });
      const { data } = await call.event("call.answered");
      expectSame("call.answered", data, { command_uid: "take", success: true }, { of: call });
      expectSame("state", (await call.state()).state, "answered", { of: call });
    },
  },
  {
    id: "plays",
    title: "A file is played to it",
    clause: "playback/start",
    async see(_, call, world) {
      const sounds = await Sounds.files(world);
      const url = sounds.tone(1000);
      const { data: result } = await call.result("startPlayback", { command_uid: "hello", urls: [url] });
      sounds.expectAllowed(call, url);
      expectSame("success", result.success, true, { of: call });
      const { data } = await call.event("playback.stopped");
      expectFields("playback.stopped", data, { command_uid: "hello", urls: [url], reason: "completed" }, { of: call });
    },
  },
  {
    id: "asks",
    title: "It is asked for digits",
    clause: "play_and_get_digits",
    async see(_, call, world) {
      const rules = { max_digits: 4, timeout_ms: keyingMs };
      const sounds = await Sounds.files(world);
      const url = sounds.tone(500);
      const { data: result } = await call.resultInTime("playAndGetDigits", {
        command_uid: "pin",
        prompt_files: [url],
        ...rules,
      });
      sounds.expectAllowed(call, url);
      expectSame("success", result.success, true, { of: call });
      const { data } = await call.event("digits.collected", 0, keyingMs);
      const wanted = { command_uid: "pin", digits: "12", terminator: "#", status: "success" };
      expectSame("digits.collected", data, wanted, { of: call });
      expectSame(
        "the keys",
        call
          .named("dtmf")
          .map(({ data }) => data.digit)
          .join(""),
        "12#",
        { of: call },
      );
    },
  },
  {
    id: "meets",
    title: "It joins a room, and is put out when the room is closed",
    clause: "conference/join",
    async see(app, call) {
      const room = await app.room(call.source);
      await call.done("joinRoom", { room_id: room.source });
      expectSame("room_id", (await call.state()).room_id, room.source, { of: call });
      await room.close();
      const { data } = await call.event("conference.member.left");
      expectFields("conference.member.left", data, { room_id: room.source, reason: "removed" }, { of: call });
    },
  },
  {
    id: "records",
    title: "It is recorded, and the recording is fetched",
    clause: "record/start",
    async see(app, call) {
      let answer = await call.command("startRecording", { command_uid: "tape" });
      orWithout(answer);
      if (answer.status === 202) await app.endpoint.result(String(answer.body?.operation_id));
      else await call.doneInTime("startRecording", { command_uid: "tape" });
      await call.done("stopRecording");
      const { data } = await call.event("recording.completed", 0, 20_000);
      expectSame("command_uid", data.command_uid, "tape", { of: call });
      if (data.recording_url === null) return;
      answer = await app.get(`/api/v1/recordings/${data.recording_id}`);
      expectStatus(answer, 200);
      expectSame("form", answer.bytes.toString("latin1", 8, 12), "WAVE", { answers: [answer] });
    },
  },
  {
    id: "repeats",
    title: "A command that is repeated is answered again, and refused within a cooldown when it is not the same",
    clause: "order of checks, steps 10 and 13",
    async see(_, call) {
      const body = { command_uid: "hush", duration_ms: 20_000 };
      await call.doneInTime("playSilence", body);
      const again = await call.command("playSilence", body);
      expectSame("Idempotent-Replayed", again.headers["idempotent-replayed"], "true", { answers: [again] });
      const other = await call.command("playSilence", { ...body, duration_ms: 10_000 });
      expectSame("code", other.body?.code, "command_uid_reused", { answers: [other] });
    },
  },
  {
    id: "ends",
    title: "It is hung up: what plays is told to be over, then the call, and it is found no more",
    clause: "hangup, call.hangup",
    async see(app, call) {
      const { data, sequence } = await call.hangup();
      expectFields("call.hangup", data, { cause: "NORMAL_CLEARING", q850_cause: 16, by: "app" }, { of: call });
      const stopped = call.named("playback.stopped").at(-1);
      expectFields("playback.stopped", stopped?.data ?? {}, { command_uid: "hush", reason: "hangup" }, { of: call });
      expectThat((stopped?.sequence ?? 0) < sequence, "the playback before the call", "behind it", { of: call });
      const gone = await app.get(`/api/v1/sessions/${call.source}`);
      expectSame("code", gone.body?.code, "session_not_found", { answers: [gone] });
    },
  },
];

export const tour: readonly Check<World>[] = stops.map(({ id, title, clause }) => ({
  id: `tour/${id}`,
  title,
  clause,
  profile: "minimal",
  limitMs,
  run: async (world) => (await taken(world)).get(id),
}));

/** The stops in turn, each whatever came of the one before. */
function taken(world: World): Promise<ReadonlyMap<string, Promise<void>>> {
  return world.once("tour", async () => {
    const app = await world.main();
    // Behind the results of the answer, of the playback and of the question.
    const asked = Array.from({ length: 3 }, () => ({ do: "wait_for", event: "command.result" }) as const);
    const call = await app.call([...asked, { do: "press", digits: "12#", gap_ms: 200 }]);
    const seen = new Map<string, Promise<void>>();
    let before: Promise<unknown> = Promise.resolve();
    for (const { id, see } of stops) {
      const mine = before.then(() => see(app, call, world));
      seen.set(id, mine);
      before = mine.catch(() => undefined);
    }
    return seen;
  });
}
