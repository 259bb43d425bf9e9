import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, expect, test } from "@jest/globals";
import { freePort, Media, remote, sine } from "./listener";
import { RtpPeer } from "./peer";

const started: Media[] = [];
const peers: RtpPeer[] = [];

async function start(...options: Parameters<typeof Media.start>): Promise<Media> {
  const media = await Media.start(...options);
  started.push(media);
  return media;
}

afterEach(async () => {
  for (const peer of peers.splice(0)) peer.close();
  for (const media of started.splice(0)) await media.end();
});

async function bind(port = 0): Promise<RtpPeer> {
  const peer = await RtpPeer.bind(port);
  peers.push(peer);
  return peer;
}

function kill(media: Media, signal: NodeJS.Signals): void {
  const pid = media.link.pid();
  if (pid === null) throw new Error("No child");
  process.kill(pid, signal);
}

/** Time goes by: as much of a child's own clock as a tone of this length takes. */
async function pass(ms: number): Promise<void> {
  const clock = await start();
  await clock.link.open("clock", "simulated");
  clock.link.tone("clock", 1, 440, ms);
  await clock.listener.first("pressed", "clock");
}

test("a child that dies takes its calls and all that is pending with it, and another one comes up", async () => {
  const media = await start();
  const first = media.link.pid();
  await media.link.open("lost", "socket");
  kill(media, "SIGSTOP");
  const pending = [media.link.ping(), media.link.stop("lost"), media.link.open("next", "socket")];
  const settled = Promise.allSettled(pending);
  kill(media, "SIGKILL");
  const unreachable = {
    status: "rejected",
    reason: expect.objectContaining({ name: "Refused", refusal: "unreachable" }),
  };
  expect(await settled).toEqual(Array(3).fill(unreachable));
  await media.listener.first("lost");
  expect(media.link.connected()).toBe(false);
  await expect(media.link.ping()).rejects.toMatchObject({ refusal: "unreachable" });
  await media.lines.find(({ msg, pid }) => msg === "media child is up" && pid !== first);
  expect(media.link.connected()).toBe(true);
  expect(media.link.pid()).not.toBe(first);
  await expect(media.link.stop("lost")).rejects.toMatchObject({ refusal: "gone" });
  expect((await media.link.open("again", "socket")).port).toBeGreaterThan(0);
  expect(media.listener.all).toEqual([{ told: "lost" }]);
});

test("a child that hangs is late; what it says afterwards is ignored, and what it would have begun is undone", async () => {
  const port = await freePort();
  const media = await start({ ackTimeoutMs: 300, portMin: port, portMax: port + 3 });
  const peer = await bind();
  await media.link.open("hangs", "socket");
  await media.link.remote("hangs", remote(peer.port));
  const file = await media.file("late.wav", sine(440, 100));
  kill(media, "SIGSTOP");
  const asked = [
    media.link.ping(),
    media.link.open("late", "socket"),
    media.link.play("hangs", 1, file, 0),
    media.link.stop("hangs"),
  ];
  const late = { status: "rejected", reason: expect.objectContaining({ refusal: "late" }) };
  expect(await Promise.allSettled(asked)).toEqual(Array(4).fill(late));
  kill(media, "SIGCONT");
  await media.link.ping();
  expect(await media.link.stop("hangs")).toBeNull();
  // The second and last port is free again: the late call was closed.
  await media.lines.find(({ reason }) => reason === "Closed while it was opened: late");
  await media.link.open("second", "socket");
  await peer.listen(10);
  expect(peer.heard.every(({ body }) => body.every((byte) => byte === 0xff))).toBe(true);
  expect(media.listener.all).toEqual([]);
});

test("a late play is stopped, and not the one that was taken after it", async () => {
  const media = await start({ ackTimeoutMs: 1500 });
  await media.link.open("order", "simulated");
  const file = await media.file("order.wav", sine(440, 30_000));
  kill(media, "SIGSTOP");
  const late = expect(media.link.play("order", 1, file, 0)).rejects.toMatchObject({ refusal: "late" });
  await pass(700);
  const second = media.link.play("order", 2, file, 0);
  await late;
  kill(media, "SIGCONT");
  await second;
  expect(await media.link.stop("order")).toMatchObject({ play: 2 });
});

test("closed calls leave neither a file nor a socket open", async () => {
  const media = await start();
  const open = () => readdirSync(`/proc/${media.link.pid()}/fd`).length;
  const before = open();
  const file = await media.file("open.wav", sine(440, 30_000));
  for (let call = 0; call < 10; call++) {
    const peer = await bind();
    await media.link.open(`${call}`, "socket");
    await media.link.remote(`${call}`, remote(peer.port));
    await media.link.play(`${call}`, 1, file, 0);
    await peer.next(({ body }) => body.some((byte) => byte !== 0xff));
  }
  expect(open()).toBe(before + 20);
  for (let call = 0; call < 10; call++) media.link.close(`${call}`);
  // Files are closed by other threads. The test's own time-out says when that was too long.
  do await media.link.ping();
  while (open() > before);
  expect(media.listener.all).toEqual([]);
});

test("after a halt the stream goes on where it would be now, in its rhythm, without a burst", async () => {
  const media = await start();
  const peer = await bind();
  await media.link.open("halt", "socket");
  await media.link.remote("halt", remote(peer.port));
  const before = (await peer.listen(5)).at(-1);
  kill(media, "SIGSTOP");
  await pass(600);
  const { length } = peer.heard;
  kill(media, "SIGCONT");
  await peer.next(({ marker }) => marker);
  const marked = peer.heard.findLastIndex(({ marker }) => marker);
  const after = peer.heard[marked];
  // Packets from before the halt may still have been under way.
  expect(marked - length).toBeLessThanOrEqual(1);
  const passed = ((after?.timestamp ?? 0) - (before?.timestamp ?? 0)) >>> 0;
  expect(passed % 160).toBe(0);
  expect(passed).toBeGreaterThanOrEqual(600 * 8);
});

test("ports are even, within their bounds, skip those in use, and come back", async () => {
  const port = await freePort();
  const media = await start({ portMin: port - 1, portMax: port + 5 });
  await bind(port + 2);
  const first = await media.link.open("first", "socket");
  const second = await media.link.open("second", "socket");
  expect([first.port, second.port]).toEqual([port, port + 4]);
  await expect(media.link.open("third", "socket")).rejects.toMatchObject({ refusal: "unreachable" });
  expect(await media.lines.find(({ msg }) => msg === "media command refused")).toMatchObject({
    reason: "No RTP port is left",
  });
  media.link.close("first");
  await media.lines.find(({ msg, call }) => msg === "media closed" && call === "first");
  expect(await media.link.open("third", "socket")).toEqual({ port });
});

test("a wrong host is told, and costs nothing but the call", async () => {
  const media = await start({ host: "192.0.2.1" });
  await expect(media.link.open("nowhere", "socket")).rejects.toMatchObject({ refusal: "unreachable" });
  expect(await media.lines.find(({ msg }) => msg === "media command refused")).toMatchObject({
    reason: expect.stringContaining("EADDRNOTAVAIL"),
  });
  await media.link.ping();
});

test("unknown calls are gone; to close one is no error", async () => {
  const media = await start();
  const file = await media.file("gone.wav", sine(440, 100));
  for (const asked of [media.link.remote("x", remote(9)), media.link.play("x", 1, file, 0), media.link.stop("x")]) {
    await expect(asked).rejects.toMatchObject({ refusal: "gone" });
  }
  media.link.close("x");
  media.link.press("x", 1, "1", 100);
  await media.link.ping();
});

test("signals of the terminal do not end the child; shutdown does, as often as it is called", async () => {
  const media = await start();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) kill(media, signal);
  await media.link.ping();
  const pid = media.link.pid() ?? 0;
  const waiting = media.link.ping();
  const refused = expect(waiting).rejects.toMatchObject({ refusal: "unreachable" });
  kill(media, "SIGSTOP");
  await Promise.all([media.link.shutdown(), media.link.shutdown()]);
  await refused;
  expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  await expect(media.link.open("x", "socket")).rejects.toMatchObject({ refusal: "unreachable" });
  expect(media.listener.all).toEqual([]);
});

test("the child ends with its parent, even when that is killed", async () => {
  const link = join(__dirname, "../../src/engines/embedded/media/link.js");
  const program = `
    const { MediaLink } = require(${JSON.stringify(link)});
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const media = new MediaLink({ host: "127.0.0.1", portMin: 40000, portMax: 48000, rtpTimeoutMs: 1000, ackTimeoutMs: 1000, log }, {});
    media.start().then(() => console.log(media.pid()));`;
  const parent = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "pipe"] });
  const [pid] = await once(createInterface({ input: parent.stdout }), "line");
  expect(() => process.kill(Number(pid), 0)).not.toThrow();
  // The child has inherited stderr: it closes when the last of the two is gone.
  const closed = once(parent.stderr.resume(), "close");
  const killed = once(parent, "exit");
  parent.kill("SIGKILL");
  expect(await killed).toEqual([null, "SIGKILL"]);
  await closed;
});
