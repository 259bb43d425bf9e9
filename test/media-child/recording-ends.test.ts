import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { Recording } from "../../src/engines/embedded/media/recording";
import { hour, Studio } from "./studio";

let studio: Studio;
const others: Studio[] = [];

beforeAll(async () => {
  studio = await Studio.open();
});
afterEach(async () => {
  studio.leave();
  for (const other of others.splice(0)) await other.close();
});
afterAll(() => studio.close());

/** One with a child of its own, to be treated badly. */
async function open(...options: Parameters<typeof Studio.open>): Promise<Studio> {
  const other = await Studio.open(...options);
  others.push(other);
  return other;
}

describe("it ends", () => {
  test.each(["socket", "simulated"] as const)("at its longest, to the sample: a %s", async (kind) => {
    const name = `longest ${kind}`;
    if (kind === "socket") await studio.call(name);
    else await studio.media.link.open(name, kind);
    const id = await studio.record(name, 1234);
    expect(await studio.recorded(id)).toMatchObject({ call: name, failure: null });
    expect(studio.read(id).left.length).toBe(1234 * 8);
    await studio.media.link.stopRecording(name);
    expect(studio.media.listener.all.filter((word) => word.told === "recorded" && word.call === name)).toHaveLength(1);
    studio.media.link.close(name);
  });

  test("with its call, with the next recording, and all of them with the child", async () => {
    const another = await open();
    const caller = await another.call("call");
    const ids = [await another.record("call")];
    await caller.listen(100);
    ids.push(await another.record("call"));
    expect(await another.recorded(ids[0] ?? "")).toMatchObject({ failure: null });
    await caller.listen(100);
    another.media.link.close("call");
    expect(await another.recorded(ids[1] ?? "")).toMatchObject({ failure: null });
    for (let index = 0; index < 20; index++) {
      await another.media.link.open(`${index}`, "simulated");
      ids.push(await another.record(`${index}`));
    }
    another.media.link.tone("0", 1, 440, 300);
    await another.media.listener.first("pressed", "0");
    await another.media.link.shutdown();
    const told = another.media.listener.all.flatMap((word) => (word.told === "recorded" ? [word.recording_id] : []));
    expect(told.toSorted()).toEqual(ids.toSorted());
    for (const id of ids) expect(another.read(id).left.length).toBeGreaterThan(0);
  });

  test("in a silence that nobody wrote: the file has it all the same", async () => {
    const silent = new Int16Array(160);
    for (const [id, before] of [
      ["hole", 160],
      ["empty", 0],
    ] as const) {
      const recording = await Recording.begin(studio.path(id), hour);
      recording.write(silent, silent, before);
      recording.skip(80_000);
      recording.end();
      expect(await recording.closed).toBeNull();
      expect(studio.read(id).left.length).toBe(before + 80_000);
    }
    const longest = await Recording.begin(studio.path("over"), 1000);
    longest.skip(800_000_000);
    expect(longest.over).toBe(true);
    await longest.closed;
    expect(studio.read("over").left.length).toBe(8000);
  });

  test("when the disk takes no more, with a reason, and what is there is whole", async () => {
    const another = await open();
    const caller = await another.call("full");
    execFileSync("prlimit", ["--pid", `${another.media.link.pid()}`, "--fsize=50000"]);
    const id = await another.record("full");
    expect(await another.recorded(id)).toMatchObject({ failure: expect.stringContaining("EFBIG") });
    expect(another.read(id).left.length).toBe(8000);
    // The call itself goes on.
    await caller.peer.listen(3);
    expect(await another.media.lines.find(({ msg }) => msg === "recording could not be written")).toMatchObject({
      call: "full",
    });
  });
});

describe("it does not begin", () => {
  test("over a file that is there, or in a folder that is not", async () => {
    await studio.call("refused");
    writeFileSync(studio.path("there"), "mine");
    for (const place of [studio.path("there"), join(studio.folder, "nowhere", "x.wav")]) {
      expect(await studio.media.link.record("refused", randomUUID(), place, hour)).toEqual({
        failure: expect.any(String),
      });
    }
    expect(statSync(studio.path("there")).size).toBe(4);
    await studio.media.link.stopRecording("refused");
    await expect(studio.media.link.record("x", randomUUID(), studio.path("x"), hour)).rejects.toMatchObject({
      refusal: "gone",
    });
    await expect(studio.media.link.stopRecording("x")).rejects.toMatchObject({ refusal: "gone" });
    expect(existsSync(studio.path("x"))).toBe(false);
    expect(studio.media.listener.about("refused")).toEqual([]);
  });

  test("late: what began all the same is removed, and not told", async () => {
    const another = await open({ ackTimeoutMs: 300 });
    await another.media.link.open("late", "simulated");
    another.signal("SIGSTOP");
    const asked = another.media.link.record("late", "late", another.path("late"), hour);
    await expect(asked).rejects.toMatchObject({ refusal: "late" });
    another.signal("SIGCONT");
    await another.media.link.ping();
    another.media.link.tone("late", 1, 440, 100);
    await another.media.listener.first("pressed", "late");
    await another.media.link.shutdown();
    expect(existsSync(another.path("late"))).toBe(false);
    expect(another.media.listener.about("late").map(({ told }) => told)).toEqual(["pressed"]);
  });

  test("on a call that is closed meanwhile", async () => {
    const another = await open();
    await another.media.link.open("closed", "simulated");
    const asked = another.media.link.record("closed", "closed", another.path("closed"), hour);
    another.media.link.close("closed");
    await expect(asked).rejects.toMatchObject({ refusal: "gone" });
    await another.media.link.shutdown();
    expect(existsSync(another.path("closed"))).toBe(false);
    expect(another.media.listener.all).toEqual([]);
  });
});
