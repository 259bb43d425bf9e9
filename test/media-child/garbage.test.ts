import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Media, remote, sine } from "./listener";
import { event, levelAt, RtpPeer, rtp, samples } from "./peer";
import { readWav } from "./wav";

let media: Media;
let peer: RtpPeer;
beforeAll(async () => {
  media = await Media.start();
  peer = await RtpPeer.bind();
});
afterAll(async () => {
  peer.close();
  await media.end();
});

/** The same numbers at each run (mulberry32), so that what goes wrong once goes wrong again. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const dice = random(2833);
const bytes = (length: number): Buffer => Buffer.from(Array.from({ length }, () => dice(256)));

function mutated(): Buffer {
  const body = dice(2) === 0 ? Buffer.alloc(160, 0xff) : event(dice(16), dice(0x10000), dice(2) === 0);
  const good = rtp({ payload: body.length === 160 ? 0 : 101, sequence: dice(0x10000), timestamp: dice(2 ** 31) }, body);
  for (let change = dice(4); change >= 0; change--) good[dice(good.length)] = dice(256);
  return dice(4) === 0 ? good.subarray(0, dice(good.length + 1)) : good;
}

/** Resident memory of the child in MB. */
function resident(): number {
  const status = readFileSync(`/proc/${media.link.pid()}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

test("10,000 random and 10,000 mutated datagrams leave the call, its room and recording, and the memory as they were", async () => {
  const { port } = await media.link.open("target", "socket");
  peer.callTo(port);
  await media.link.remote("target", remote(peer.port));
  // In a room and recorded, so that his audio is listened to.
  await media.link.openRoom("room");
  await media.link.join("target", "room", false);
  const { path } = await media.file("recording.wav", new Int16Array(0));
  await rm(path);
  expect(await media.link.record("target", "recording", path, 3_600_000)).toEqual({ failure: null });
  const before = media.link.pid();
  await peer.silence(1);
  const sent = 20_000;
  // By the rhythm of what comes back, so that the socket's buffer holds a batch.
  for (let batch = 0; batch < sent / 100; batch++) {
    for (let one = 0; one < 100; one++) await peer.raw(batch % 2 === 0 ? bytes(dice(200)) : mutated());
    if (batch === sent / 200) expect(resident()).toBeLessThan(200);
    await peer.listen(1);
  }
  const told = media.listener.about("target").filter(({ told }) => told !== "digit");
  expect(told).toEqual([]);
  await media.link.stopRecording("target");
  expect(await media.listener.first("recorded", "target")).toMatchObject({ failure: null });
  expect(readWav(path).right.every((sample) => sample === 0)).toBe(true);
  await media.link.play("target", 1, await media.file("after.wav", sine(440, 200)), 0);
  const first = await peer.next(({ body }) => body.some((byte) => byte !== 0xff));
  expect(levelAt(samples([first, ...(await peer.listen(9))]), 440)).toBeGreaterThan(-11);
  expect(resident()).toBeLessThan(200);
  expect(media.link.pid()).toBe(before);
  media.link.close("target");
  const closed = await media.lines.find(({ msg }) => msg === "media closed");
  expect(Number(closed.received) + Number(closed.rejected)).toBeGreaterThan(sent * 0.9);
  expect(Number(closed.rejected)).toBeGreaterThan(sent / 2);
});
