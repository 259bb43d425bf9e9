/** What becomes of calls and commands when the media process hangs, dies, or cannot read a file. */
import { EventEmitter, once } from "node:events";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { createLog } from "../../src/log";
import { MediaFiles } from "../../src/media/files";
import { wavHeaderBytes } from "../../src/wav";
import { type EmbeddedPlace, openEmbedded, silent } from "./place";
import { collect, play, run } from "./suite";

/** Log lines, to be awaited by their message. */
class Lines extends EventEmitter {
  readonly log = createLog("debug", { write: (line) => this.#add(JSON.parse(line)) });
  readonly #messages: string[] = [];

  async message(text: string, nth = 1): Promise<void> {
    while (this.#messages.filter((message) => message === text).length < nth) await once(this, "line");
  }

  #add({ msg }: { msg: string }): void {
    this.#messages.push(msg);
    this.emit("line");
  }
}

describe("the media process", () => {
  let place: EmbeddedPlace;
  let lines: Lines;
  beforeEach(async () => {
    lines = new Lines();
    place = await openEmbedded({ commandTimeoutMs: 150, log: lines.log });
  });
  afterEach(() => place.close());

  const call = async (): Promise<string> => {
    const called = await place.engine.call({ did: "1000", caller_id: "sandbox", script: [] });
    if (typeof called === "string") throw new Error(called);
    return called.session_uuid;
  };
  const signal = (name: NodeJS.Signals) => process.kill(place.engine.mediaPid ?? Number.NaN, name);

  test("hangs: what needs it is late, ending a call does not need it; afterwards all is well", async () => {
    const { recorder, files } = place;
    const session_uuid = await call();
    const other = await call();
    const third = await call();
    await run(place, "answer", other, {});
    await play(place, third, files.tone(20_000));
    await recorder.event(third, "playback.started");
    signal("SIGSTOP");
    const late = { name: "Refused", refusal: "late" };
    const body = { ...collect, prompt_files: [files.tone(40)] };
    await expect(run(place, "answer", session_uuid, {})).rejects.toMatchObject(late);
    await expect(play(place, session_uuid, files.tone(40))).rejects.toMatchObject(late);
    await expect(run(place, "playAndGetDigits", session_uuid, body)).rejects.toMatchObject(late);
    await expect(run(place, "stopPlayback", third, {})).rejects.toMatchObject(late);
    // With nothing to stop, too.
    await expect(run(place, "stopPlayback", session_uuid, {})).rejects.toMatchObject(late);
    await run(place, "hangup", other, { cause: "NORMAL_CLEARING" });
    expect(await place.engine.call({ did: "1000", caller_id: "sandbox", script: [] })).toBe("unavailable");
    expect(recorder.types(session_uuid)).toEqual([]);
    expect(recorder.types(other)).toEqual(["answered", "hangup"]);
    signal("SIGCONT");
    await run(place, "answer", session_uuid, {});
    await play(place, session_uuid, files.tone(40));
    expect(await recorder.event(session_uuid, "playback.stopped")).toMatchObject({ reason: "completed" });
    expect(recorder.types(session_uuid)).toEqual(["answered", "playback.started", "playback.stopped"]);
  });

  test("hangs when the files have come: the command fails, and they never sound", async () => {
    const { recorder, files } = place;
    const session_uuid = await call();
    const url = files.tone(60, "held");
    const held = files.hold(url);
    const { operation_id } = await play(place, session_uuid, url);
    await held.requested;
    signal("SIGSTOP");
    held.release();
    expect(await recorder.event(session_uuid, "failed")).toMatchObject({
      operation_id,
      error: "Media server timed out",
    });
    signal("SIGCONT");
    await play(place, session_uuid, files.tone(40));
    await recorder.event(session_uuid, "playback.stopped");
    expect(recorder.types(session_uuid)).toEqual(["early", "failed", "playback.started", "playback.stopped"]);
  });

  test("dies: its calls end, with what they were doing; a new one takes the next calls", async () => {
    const { recorder, files, engine } = place;
    const playing = await call();
    const idle = await call();
    await run(place, "answer", playing, {});
    await play(place, playing, files.tone(20_000));
    await recorder.event(playing, "playback.started");
    const lost = engine.mediaPid;
    signal("SIGKILL");
    const end = { by: "gateway", cause: "MEDIA_SERVER_LOST", q850_cause: 41 };
    expect(await recorder.event(playing, "hangup")).toMatchObject({
      ...end,
      sip_status: null,
      playback: { offset_ms: expect.any(Number) },
    });
    expect(await recorder.event(idle, "hangup")).toMatchObject({ ...end, sip_status: 503 });
    expect(engine.connected()).toBe(false);
    expect(await engine.call({ did: "1000", caller_id: "sandbox", script: [] })).toBe("unavailable");
    await expect(run(place, "answer", idle, {})).rejects.toMatchObject({ refusal: "gone" });
    await lines.message("media child is up", 2);
    expect(engine.connected()).toBe(true);
    expect(engine.mediaPid).not.toBe(lost);
    const session_uuid = await call();
    await play(place, session_uuid, files.tone(40));
    expect(await recorder.event(session_uuid, "playback.stopped")).toMatchObject({ reason: "completed" });
  });

  test.each(["startPlayback", "stopPlayback"])(
    "dies while %s waits for it: unreachable, and the call ends",
    async (command) => {
      const { recorder, files } = place;
      const session_uuid = await call();
      signal("SIGSTOP");
      const waiting =
        command === "startPlayback"
          ? play(place, session_uuid, files.tone(40))
          : run(place, "stopPlayback", session_uuid, {});
      const refused = expect(waiting).rejects.toMatchObject({ refusal: "unreachable" });
      signal("SIGKILL");
      await refused;
      await recorder.event(session_uuid, "hangup");
      expect(recorder.types(session_uuid)).toEqual(["hangup"]);
    },
  );

  test("cannot read a file that was there: it is told like one that could not be fetched", async () => {
    const directory = await mkdtemp(path.join(tmpdir(), "voicegate-test-"));
    const media = new MediaFiles({ allowLocalhost: true, log: lines.log, directory });
    await media.start();
    const other = await openEmbedded({ media, log: silent });
    try {
      const called = await other.engine.call({ did: "1000", caller_id: "sandbox", script: [] });
      const session_uuid = typeof called === "string" ? called : called.session_uuid;
      const urls = [other.files.tone(600), other.files.tone(100)];
      await play(other, session_uuid, ...urls, other.files.tone(60));
      await other.recorder.event(session_uuid, "playback.started");
      await lines.message("media file opened", 3);
      const found = await readdir(directory, { recursive: true });
      for (const file of found.filter((name) => name.endsWith(".wav")).map((name) => path.join(directory, name))) {
        if ((await stat(file)).size === wavHeaderBytes + 100 * 16) await rm(file);
      }
      expect(await other.recorder.event(session_uuid, "playback.stopped")).toMatchObject({
        reason: "completed",
        offset_ms: 60,
      });
      // Whether it was taken before it turned out to be gone is a race.
      expect(other.recorder.of(session_uuid, "early", "playback.moved")).toMatchObject([
        { type: "playback.started", index: 0 },
        { type: "playback.file_not_found", url: urls[1], reason: "unreachable" },
        { type: "playback.stopped" },
      ]);
    } finally {
      await other.close();
      await media.close();
      await rm(directory, { recursive: true });
    }
  });
});
