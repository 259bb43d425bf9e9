import { statSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { mulaw } from "alawmulaw";
import { remote, sine } from "./listener";
import { sounds, tone, unlike } from "./party";
import { type Heard, level, levelAt, samples } from "./peer";
import { Studio } from "./studio";
import { find } from "./wav";

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

const coded = (pcm: Int16Array) => mulaw.decode(mulaw.encode(pcm));

describe("a recording", () => {
  test.each([10, 20, 60])("has the caller left and what he hears right, packets of %i ms", async (ptime) => {
    const name = `both ${ptime}`;
    const caller = await studio.call(name, { ptime });
    caller.sing(440);
    await studio.media.link.play(name, 1, await studio.media.file(`both ${ptime}.wav`, sine(1000, 60_000, 4000)), 0);
    await caller.peer.next(sounds);
    const id = await studio.record(name);
    await caller.listen(1500);
    const { left, right } = await studio.stop(name, id);
    expect(left.length).toBeGreaterThanOrEqual(1400 * 8);
    // The jitter buffer fills at first.
    const said = left.slice(2000, 2000 + 8000);
    const heard = right.slice(2000, 2000 + 8000);
    expect(tone(said, 440)).toBeCloseTo(20 * Math.log10(8000 / 32_768), -0.3);
    expect(tone(said, 1000)).toBeLessThan(-35);
    expect(tone(heard, 1000)).toBeCloseTo(20 * Math.log10(4000 / 32_768), 0);
    expect(tone(heard, 440)).toBeLessThan(-60);
    expect(statSync(studio.path(id)).mode & 0o777).toBe(0o600);
  });

  test("has both channels at the same time, each sample by sample", async () => {
    const caller = await studio.call("time");
    const id = await studio.record("time");
    const prompt = unlike(8 * 400).map((sample) => sample ^ 0x40);
    await studio.media.link.play("time", 1, await studio.media.file("time.wav", prompt), 0);
    const said = unlike(8 * 300);
    await caller.peer.next(sounds);
    await caller.burst(said);
    await caller.listen(600);
    const { left, right } = await studio.stop("time", id);
    const heardAt = find(right, prompt);
    const saidAt = find(left, coded(said));
    expect(heardAt).toBeGreaterThanOrEqual(0);
    expect(saidAt).toBeGreaterThan(heardAt);
    // He answered at once: what is between is his jitter buffer, and the way there and back.
    expect(saidAt - heardAt).toBeLessThan(300 * 8);
  });

  test("begins when it begins, also when the call was long without an address", async () => {
    await studio.media.link.open("before", "socket");
    const witness = await studio.call("witness of before");
    await witness.listen(400);
    const id = await studio.record("before");
    await studio.media.link.remote("before", remote(witness.peer.port));
    await witness.listen(100);
    expect((await studio.stop("before", id)).left.length).toBeLessThan(400 * 8);
    studio.media.link.close("before");
  });

  test("keeps to the time of the RTP stream through a hold, and is silent there", async () => {
    const caller = await studio.call("hold");
    const id = await studio.record("hold");
    await studio.media.link.play("hold", 1, await studio.media.file("hold.wav", unlike(8 * 60_000)), 0);
    await caller.peer.next(sounds);
    const before = await caller.peer.next();
    await studio.media.link.remote("hold", remote(caller.peer.port, { send: false, receive: false }));
    const witness = await studio.call("witness of hold");
    await witness.listen(300);
    await studio.media.link.remote("hold", remote(caller.peer.port));
    const after = await caller.peer.next();
    await caller.listen(60);
    expectSameTime(before, after, (await studio.stop("hold", id)).right);
  });

  test("keeps to the time of the RTP stream when the machine halts", async () => {
    const another = await open();
    const caller = await another.call("halt");
    const id = await another.record("halt");
    await another.media.link.play("halt", 1, await another.media.file("halt.wav", unlike(8 * 60_000)), 0);
    await caller.peer.next(sounds);
    const before = await caller.peer.next();
    another.signal("SIGSTOP");
    const witness = await studio.call("witness of halt");
    await witness.listen(600);
    another.signal("SIGCONT");
    const after = await caller.peer.next(({ marker }) => marker);
    await caller.listen(60);
    expectSameTime(before, after, (await another.stop("halt", id)).right);
  });

  test("is whole at any time, second by second", async () => {
    const caller = await studio.call("whole");
    const id = await studio.record("whole");
    const lengths = new Set<number>();
    while (lengths.size < 4) {
      await caller.peer.listen(5);
      lengths.add(studio.read(id).left.length);
    }
    expect([...lengths]).toEqual([0, 8000, 16_000, 24_000]);
    expect((await studio.stop("whole", id)).left.length).toBeGreaterThanOrEqual(24_000);
  });

  test("survives the death of the process up to its last second", async () => {
    const another = await open();
    const caller = await another.call("killed");
    caller.sing(440);
    const id = await another.record("killed");
    while (another.read(id).left.length < 16_000) await caller.peer.listen(5);
    another.signal("SIGKILL");
    await another.media.listener.first("lost");
    expect(level(another.read(id).left)).toBeGreaterThan(-20);
    expect(another.media.listener.all).toEqual([{ told: "lost" }]);
  });

  test("of a member has what he says left, muted or not, and the others right", async () => {
    await studio.media.link.openRoom("room");
    const first = await studio.call("first");
    const second = await studio.call("second", { ptime: 30 });
    first.sing(440);
    second.sing(1000);
    await studio.media.link.join("first", "room", true);
    await studio.media.link.join("second", "room", false);
    const ids = [await studio.record("first"), await studio.record("second")] as const;
    await first.listen(1300);
    const one = await studio.stop("first", ids[0]);
    const two = await studio.stop("second", ids[1]);
    const tones = [one.left, one.right, two.left, two.right].map((pcm) =>
      [440, 1000].filter((hz) => tone(pcm.slice(2400, 2400 + 5600), hz) > -20),
    );
    expect(tones).toEqual([[440], [1000], [1000], []]);
    // Recordings over, he is in the room still.
    expect(tone(await first.listen(200), 1000)).toBeGreaterThan(-20);
  });

  test("of a simulated caller has his tones", async () => {
    await studio.media.link.open("simulated", "simulated");
    const id = await studio.record("simulated");
    studio.media.link.tone("simulated", 1, 1000, 500);
    await studio.media.listener.first("pressed", "simulated");
    const { left, right } = await studio.stop("simulated", id);
    const from = left.findIndex((sample) => sample !== 0);
    expect(levelAt(left.slice(from, from + 3200), 1000)).toBeCloseTo(-10, 0);
    expect(right.every((sample) => sample === 0)).toBe(true);
    studio.media.link.close("simulated");
  });

  test("goes on through the caller's silence, packets lost and a change of his stream", async () => {
    const caller = await studio.call("gaps");
    const id = await studio.record("gaps");
    const parts = [
      unlike(1600),
      unlike(1600).map((sample) => sample ^ 0x30),
      unlike(1600).map((sample) => sample ^ 0x50),
    ];
    for (const [index, part] of parts.entries()) {
      await caller.burst(part, { ssrc: index + 1 });
      await caller.listen(400);
    }
    const { left } = await studio.stop("gaps", id);
    const at = parts.map((part) => find(left, coded(part)));
    expect(at.every((place) => place >= 0)).toBe(true);
    expect(at).toEqual([...at].sort((one, other) => one - other));
  });
});

/** What two packets brought is in the recording as far apart as they are by their timestamps, and there is silence between. */
function expectSameTime(before: Heard, after: Heard, recording: Int16Array): void {
  const wire = coded(recording);
  const [from, to] = [find(wire, samples([before])), find(wire, samples([after]))];
  expect(from).toBeGreaterThanOrEqual(0);
  expect(to - from).toBe((after.timestamp - before.timestamp) >>> 0);
  expect(recording.slice(to - 1600, to).every((sample) => sample === 0)).toBe(true);
}
