import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { mulaw } from "alawmulaw";
import { Media, sine } from "./listener";
import { Party, sounds, unlike, wire } from "./party";
import { level, samples } from "./peer";

let media: Media;
const parties: Party[] = [];

beforeAll(async () => {
  media = await Media.start();
});
afterEach(() => {
  for (const party of parties.splice(0)) party.close();
});
afterAll(() => media.end());

async function call(name: string, changes: Parameters<typeof Party.call>[2] = {}): Promise<Party> {
  const party = await Party.call(media, name, changes);
  parties.push(party);
  return party;
}

const ended = (name: string, play: number) =>
  media.listener.find((word) => word.told === "played" && word.target === name && word.play === play);

/** All that sounded, without the silence between. */
const sounded = ({ peer }: Party): Buffer => wire(peer.heard.filter(sounds));

describe("pause", () => {
  test.each([10, 20, 60])("and resume lose no sample and repeat none, packets of %i ms", async (ptime) => {
    const name = `pause ${ptime}`;
    const caller = await call(name, { ptime });
    const pcm = unlike(8 * 2400);
    await media.link.play(name, 1, await media.file(`${ptime}.wav`, pcm), 0);
    for (const part of [1, 2, 3]) {
      await caller.peer.next(sounds);
      await caller.peer.listen(part * 5);
      const paused = await media.link.pause(name, true);
      // What was sent before the pause is heard before the second packet after it.
      await caller.peer.listen(4);
      expect(paused).toEqual({ play: 1, offset_ms: sounded(caller).length / 8 });
      expect((await caller.peer.listen(3)).some(sounds)).toBe(false);
      expect(await media.link.pause(name, true)).toEqual(paused);
      expect(await media.link.pause(name, false)).toEqual(paused);
    }
    expect(await media.link.pause(name, false)).toMatchObject({ play: 1 });
    expect(await ended(name, 1)).toMatchObject({ offset_ms: 2400 });
    await caller.peer.next((packet) => !sounds(packet));
    expect(sounded(caller).equals(Buffer.from(mulaw.encode(pcm)))).toBe(true);
  });

  test("holds from the beginning, when a play is begun so", async () => {
    const caller = await call("begun");
    const pcm = unlike(8 * 200);
    await media.link.play("begun", 1, await media.file("begun.wav", pcm), 40, true);
    expect((await caller.peer.listen(8)).some(sounds)).toBe(false);
    expect(await media.link.pause("begun", false)).toEqual({ play: 1, offset_ms: 40 });
    await ended("begun", 1);
    await caller.peer.next((packet) => !sounds(packet));
    expect(sounded(caller).equals(Buffer.from(mulaw.encode(pcm.slice(320))))).toBe(true);
  });

  test("ends with the play: the next one sounds", async () => {
    const caller = await call("next");
    const file = await media.file("next.wav", unlike(8 * 200));
    await media.link.play("next", 1, file, 0, true);
    await media.link.play("next", 2, file, 0);
    await caller.peer.next(sounds);
    await ended("next", 2);
  });
});

describe("seek", () => {
  test.each([
    [20, 1234],
    [30, 17],
    [20, 3990],
  ])("goes on at the very sample, packets of %i ms, at %i ms", async (ptime, offset_ms) => {
    const name = `seek ${ptime} ${offset_ms}`;
    const caller = await call(name, { ptime });
    const pcm = unlike(8 * 5000);
    await media.link.play(name, 1, await media.file(`${name}.wav`, pcm), 2000);
    await caller.peer.next(sounds);
    await caller.peer.listen(5);
    expect(await media.link.seek(name, offset_ms)).toEqual({ play: 1, offset_ms });
    await caller.peer.listen(20);
    await media.link.stop(name);
    const heard = wire(caller.peer.heard);
    const wanted = Buffer.from(mulaw.encode(pcm));
    const before = heard.indexOf(wanted.subarray(2000 * 8, 2000 * 8 + 160));
    const after = heard.indexOf(wanted.subarray(offset_ms * 8, offset_ms * 8 + 160));
    // From the one to the other there is nothing but the file as it was and, where the disk was waited for, silence.
    let same = 0;
    while (heard[before + same] === wanted[2000 * 8 + same]) same++;
    expect(same % (ptime * 8)).toBe(0);
    const gap = heard.subarray(before + same, after);
    expect(gap.every((byte) => byte === 0xff)).toBe(true);
    expect(gap.length).toBeLessThan(100 * 8);
    expect(heard.subarray(after, after + 2400).equals(wanted.subarray(offset_ms * 8, offset_ms * 8 + 2400))).toBe(true);
  });

  test("goes back in a file that was read to its end long ago, and again and again", async () => {
    const caller = await call("back");
    const pcm = unlike(8 * 500);
    await media.link.play("back", 1, await media.file("back.wav", pcm), 0);
    for (let turn = 0; turn < 5; turn++) {
      await caller.peer.next(sounds);
      await caller.peer.listen(3);
      expect(await media.link.seek("back", 0)).toEqual({ play: 1, offset_ms: 0 });
    }
    await ended("back", 1);
    await caller.peer.next((packet) => !sounds(packet));
    expect(
      sounded(caller)
        .subarray(-pcm.length)
        .equals(Buffer.from(mulaw.encode(pcm))),
    ).toBe(true);
  });

  test("and the next one at once: the last one counts", async () => {
    const caller = await call("hurry");
    const pcm = unlike(8 * 5000);
    await media.link.play("hurry", 1, await media.file("hurry.wav", pcm), 0);
    await caller.peer.next(sounds);
    const places = [1000, 2000, 3000, 500, 4000];
    const moved = await Promise.all(places.map((offset_ms) => media.link.seek("hurry", offset_ms)));
    expect(moved.map((position) => position?.offset_ms)).toEqual(places);
    await ended("hurry", 1);
    await caller.peer.next((packet) => !sounds(packet));
    expect(
      sounded(caller)
        .subarray(-8000)
        .equals(Buffer.from(mulaw.encode(pcm.slice(-8000)))),
    ).toBe(true);
  });

  test("while paused stays paused, and counts", async () => {
    const caller = await call("still");
    const pcm = unlike(8 * 1000);
    await media.link.play("still", 1, await media.file("still.wav", pcm), 0);
    await caller.peer.next(sounds);
    await media.link.pause("still", true);
    expect(await media.link.seek("still", 900)).toEqual({ play: 1, offset_ms: 900 });
    await caller.peer.listen(3);
    expect((await caller.peer.listen(4)).some(sounds)).toBe(false);
    const from = caller.peer.heard.length;
    expect(await media.link.pause("still", false)).toEqual({ play: 1, offset_ms: 900 });
    await ended("still", 1);
    await caller.peer.next((packet) => !sounds(packet));
    const rest = wire(caller.peer.heard.slice(from).filter(sounds));
    expect(rest.equals(Buffer.from(mulaw.encode(pcm.slice(7200))))).toBe(true);
  });

  test("beyond the end has played the file, paused or not", async () => {
    await call("beyond");
    const file = await media.file("beyond.wav", unlike(8 * 1000));
    await media.link.play("beyond", 1, file, 0);
    expect(await media.link.seek("beyond", 86_400_000)).toEqual({ play: 1, offset_ms: 1000 });
    expect(await ended("beyond", 1)).toMatchObject({ offset_ms: 1000 });
    await media.link.play("beyond", 2, file, 0, true);
    await media.link.seek("beyond", 1000);
    expect(await ended("beyond", 2)).toMatchObject({ offset_ms: 1000 });
    expect(await media.link.seek("beyond", 0)).toBeNull();
  });
});

test("silence lasts as long as it should, and can be paused, sought in and stopped as a file", async () => {
  const caller = await call("silence");
  await media.link.play("silence", 1, { silence_ms: 250 }, 50);
  const { length } = caller.peer.heard;
  expect(await ended("silence", 1)).toMatchObject({ offset_ms: 250 });
  await caller.peer.listen(1);
  expect(caller.peer.heard.length - length).toBeGreaterThanOrEqual(10);
  await media.link.play("silence", 2, { silence_ms: 3_600_000 }, 0, true);
  expect(await media.link.seek("silence", 3_000_000)).toEqual({ play: 2, offset_ms: 3_000_000 });
  await caller.peer.listen(3);
  expect(await media.link.pause("silence", false)).toEqual({ play: 2, offset_ms: 3_000_000 });
  await caller.peer.listen(3);
  expect((await media.link.stop("silence"))?.offset_ms).toBeGreaterThanOrEqual(3_000_040);
  expect(caller.peer.heard.some(sounds)).toBe(false);
});

test("volume has steps of 3 dB, holds for its play only, and too loud is cut off, not turned over", async () => {
  const caller = await call("volume");
  const file = await media.file("volume.wav", sine(400, 20_000, 4000));
  const plain = 20 * Math.log10(4000 / 32_768);
  await media.link.play("volume", 1, file, 0, false, -4);
  await caller.peer.next(sounds);
  for (const volume of [-4, -1, 0, 2, 4]) {
    expect(await media.link.volume("volume", volume)).toMatchObject({ play: 1 });
    await caller.listen(60);
    expect(level(await caller.listen(200))).toBeCloseTo(plain + 3 * volume, 0);
  }
  await media.link.play("volume", 2, file, 0);
  await caller.listen(60);
  expect(level(await caller.listen(200))).toBeCloseTo(plain, 0);
  await media.link.play("volume", 3, await media.file("loud.wav", sine(400, 20_000, 30_000)), 0, false, 4);
  await caller.listen(60);
  await media.link.pause("volume", true);
  await caller.listen(60);
  const from = caller.peer.heard.length;
  await media.link.pause("volume", false);
  await caller.listen(200);
  const pcm = samples(caller.peer.heard.slice(from)).filter((sample) => sample !== 0);
  // A sine at four times full scale is nearly a square: almost all of it at its limits, and two turns of its sign in a period, which has 18 samples without the two at zero.
  expect(Math.max(...pcm)).toBeGreaterThan(32_000);
  expect(pcm.filter((sample) => Math.abs(sample) > 32_000).length / pcm.length).toBeGreaterThan(0.75);
  const turns = pcm.filter((sample, at) => at > 0 && sample > 0 !== (pcm[at - 1] ?? 0) > 0).length;
  expect(turns / pcm.length).toBeCloseTo(2 / 18, 2);
});

test("nothing plays: there is nothing to control", async () => {
  await call("idle");
  expect(await media.link.pause("idle", true)).toBeNull();
  expect(await media.link.seek("idle", 1)).toBeNull();
  expect(await media.link.volume("idle", 1)).toBeNull();
  expect(await media.link.stop("idle")).toBeNull();
  for (const asked of [media.link.pause("x", true), media.link.seek("x", 1), media.link.volume("x", 1)]) {
    await expect(asked).rejects.toMatchObject({ refusal: "gone" });
  }
});
