import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Media, remote } from "./listener";
import { event, RtpPeer, rtp } from "./peer";

let media: Media;
const peers: RtpPeer[] = [];

beforeAll(async () => {
  media = await Media.start({ rtpTimeoutMs: 800 });
});
afterAll(async () => {
  for (const peer of peers) peer.close();
  await media.end();
});

async function peer(target: number): Promise<RtpPeer> {
  const made = await RtpPeer.bind();
  made.callTo(target);
  peers.push(made);
  return made;
}

/** Speaks with the rhythm that the stream itself gives, one packet for each one heard. */
async function speak(caller: RtpPeer, packets: number): Promise<void> {
  for (let packet = 0; packet < packets; packet++) {
    await caller.next();
    await caller.silence(1);
  }
}

test("audio goes to where the caller sends from, not to where the SDP said", async () => {
  const { port } = await media.link.open("symmetric", "socket");
  const announced = await peer(port);
  const real = await peer(port);
  await media.link.remote("symmetric", remote(announced.port));
  await announced.listen(2);
  await real.silence(1);
  await real.listen(3);
  const { length } = announced.heard;
  await real.listen(5);
  expect(announced.heard.length).toBe(length);
});

test("a stranger neither takes over the audio nor keys a digit while the caller speaks", async () => {
  const { port } = await media.link.open("stranger", "socket");
  const caller = await peer(port);
  const stranger = await peer(port);
  await media.link.remote("stranger", remote(caller.port));
  await speak(caller, 1);
  for (let round = 0; round < 10; round++) {
    await stranger.silence(5, { ssrc: 666 });
    await stranger.press("9", 101, { ssrc: 666 });
    await speak(caller, 1);
  }
  await caller.press("1");
  expect(await media.listener.first("digit", "stranger")).toMatchObject({ digit: "1" });
  expect(stranger.heard).toEqual([]);
  media.link.close("stranger");
  const closed = await media.lines.find(({ msg, call }) => msg === "media closed" && call === "stranger");
  expect(closed).toMatchObject({ received: 18, rejected: 120 });
});

test("another source takes over once the caller has been silent for a second, by three packets in a row", async () => {
  const { port } = await media.link.open("rebound", "socket");
  const caller = await peer(port);
  const rebound = await peer(port);
  await media.link.remote("rebound", remote(caller.port));
  await speak(caller, 1);
  await caller.listen(55);
  for (const sequence of [10, 11, 13, 15, 16]) await rebound.raw(rtp({ sequence, ssrc: 5 }, Buffer.alloc(160)));
  await caller.listen(5);
  expect(rebound.heard).toEqual([]);
  await rebound.raw(rtp({ sequence: 17, ssrc: 5 }, Buffer.alloc(160)));
  await rebound.listen(3);
  const { length } = caller.heard;
  await rebound.listen(3);
  expect(caller.heard.length).toBe(length);
});

test("whoever is not at the announced address gives way to who is", async () => {
  const { port } = await media.link.open("usurper", "socket");
  const caller = await peer(port);
  const usurper = await peer(port);
  await media.link.remote("usurper", remote(caller.port));
  await caller.listen(1);
  await usurper.silence(1);
  await usurper.listen(3);
  await caller.silence(3);
  await caller.listen(2);
  const { length } = usurper.heard;
  await usurper.silence(20);
  await caller.listen(3);
  expect(usurper.heard.length).toBe(length);
});

test("a new address by re-INVITE is free for the first who speaks", async () => {
  const { port } = await media.link.open("moved", "socket");
  const before = await peer(port);
  const after = await peer(port);
  await media.link.remote("moved", remote(before.port));
  await speak(before, 2);
  await media.link.remote("moved", remote(after.port));
  await after.listen(2);
  await after.packet(event(5, 800, true), { payload: 101 });
  expect(await media.listener.first("digit", "moved")).toMatchObject({ digit: "5", duration_ms: 100 });
});

test("a caller who falls silent has timed out: once, and again only after he was back", async () => {
  const { port } = await media.link.open("silent", "socket");
  const caller = await peer(port);
  await media.link.remote("silent", remote(caller.port));
  await media.listener.first("timeout", "silent");
  await caller.listen(50);
  expect(media.listener.about("silent").length).toBe(1);
  await caller.silence(1);
  await media.listener.find((word) => word.told === "timeout" && word.call === "silent", media.listener.all.length);
});

test("a caller who speaks, is on hold, or is not yet to be heard has not", async () => {
  const open = async (name: string): Promise<RtpPeer> => peer((await media.link.open(name, "socket")).port);
  const speaking = await open("speaking");
  const held = await open("held");
  await open("not yet negotiated");
  await media.link.open("sandbox", "simulated");
  await media.link.remote("held", remote(held.port, { receive: false }));
  await media.link.remote("speaking", remote(speaking.port));
  await speak(speaking, 60);
  const silent = ["speaking", "held", "not yet negotiated", "sandbox"].flatMap((name) => media.listener.about(name));
  expect(silent).toEqual([]);
  // Once he may speak again, the time counts from then on.
  await media.link.remote("held", remote(held.port));
  await held.listen(10);
  expect(media.listener.about("held")).toEqual([]);
  await media.listener.first("timeout", "held");
});
