import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { mulaw } from "alawmulaw";
import { Media, remote, sine } from "./listener";
import { type Heard, level, levelAt, RtpPeer, samples } from "./peer";

let media: Media;
const peers: RtpPeer[] = [];

beforeAll(async () => {
  media = await Media.start();
});
afterAll(async () => {
  for (const peer of peers) peer.close();
  await media.end();
});

async function call(name: string, changes: Parameters<typeof remote>[1] = {}): Promise<RtpPeer> {
  const peer = await RtpPeer.bind();
  peers.push(peer);
  const { port } = await media.link.open(name, "socket");
  peer.callTo(port);
  await media.link.remote(name, remote(peer.port, changes));
  return peer;
}

/** Sequence numbers rise by one and timestamps by the samples of each packet, both around their ends. */
function expectUnbroken(packets: readonly Heard[]): void {
  packets.slice(1).forEach((packet, index) => {
    const last = packets[index];
    expect(packet.sequence).toBe(((last?.sequence ?? 0) + 1) & 0xffff);
    expect(packet.timestamp).toBe(((last?.timestamp ?? 0) + (last?.body.length ?? 0)) >>> 0);
    expect(packet.ssrc).toBe(last?.ssrc);
  });
}

/** A packet that holds more than silence. */
const sounds = ({ body }: Heard): boolean => body.some((byte) => byte !== 0xff && byte !== 0xd5);

describe("the stream", () => {
  test("is PCMU silence from an even port, without a gap, marked once at its beginning", async () => {
    const peer = await call("silence");
    const packets = await peer.listen(12);
    expect(packets.map(({ version, payload, body }) => [version, payload, body.length])).toEqual(
      Array(12).fill([2, 0, 160]),
    );
    expect(packets.map(({ marker }) => marker)).toEqual([true, ...Array(11).fill(false)]);
    expect(packets.every(({ from }) => from % 2 === 0)).toBe(true);
    expect(samples(packets).every((sample) => sample === 0)).toBe(true);
    expectUnbroken(packets);
  });

  test("is PCMA where that was negotiated, with silence of its own", async () => {
    const peer = await call("alaw", { payload: 8 });
    const packets = await peer.listen(3);
    expect(packets.map(({ payload, body }) => [payload, body[0], body.length])).toEqual(Array(3).fill([8, 0xd5, 160]));
    await media.link.play("alaw", 1, await media.file("alaw.wav", sine(1000, 300)), 0);
    const first = await peer.next(sounds);
    const pcm = samples([first, ...(await peer.listen(8))]).slice(160);
    expect(levelAt(pcm, 1000)).toBeCloseTo(20 * Math.log10(10_000 / 32_768), 0);
  });

  test.each([
    [10, 80],
    [30, 240],
    [60, 480],
    [0, 80],
    [200, 480],
    [22, 160],
  ])("has packets of the caller's ptime %i", async (ptime, bytes) => {
    const peer = await call(`ptime ${ptime}`, { ptime });
    const packets = await peer.listen(6);
    expect(packets.map(({ body }) => body.length)).toEqual(Array(6).fill(bytes));
    expectUnbroken(packets);
    media.link.close(`ptime ${ptime}`);
  });

  test("rests on hold; afterwards it is marked, the sequence has no gap, and the timestamp has run on", async () => {
    const peer = await call("hold");
    await peer.listen(3);
    await media.link.remote("hold", remote(peer.port, { send: false }));
    const last = peer.heard.at(-1);
    const witness = await call("witness");
    await witness.listen(10);
    await media.link.remote("hold", remote(peer.port));
    const next = await peer.next();
    expect(next.marker).toBe(true);
    expect(next.sequence).toBe(((last?.sequence ?? 0) + 1) & 0xffff);
    const passed = (next.timestamp - (last?.timestamp ?? 0)) >>> 0;
    expect(passed % 160).toBe(0);
    expect(passed).toBeGreaterThanOrEqual(160 * 9);
  });

  test.each(["0.0.0.0", "phone.example.net", ""])(
    "goes nowhere while the address is %p, until the caller speaks",
    async (address) => {
      const peer = await call(`nowhere ${address}`, { address });
      const witness = await call(`witness ${address}`);
      await witness.listen(5);
      expect(peer.heard).toEqual([]);
      await peer.silence(1);
      expectUnbroken(await peer.listen(3));
    },
  );
});

describe("a file", () => {
  test("sounds with its frequency and its level, once, and its end is told with its length", async () => {
    const peer = await call("tone");
    await media.link.play("tone", 7, await media.file("tone.wav", sine(440, 500)), 0);
    const first = await peer.next(sounds);
    const pcm = samples([first, ...(await peer.listen(24))]);
    expect(levelAt(pcm, 440)).toBeCloseTo(20 * Math.log10(10_000 / 32_768), 1);
    expect(level(pcm)).toBeCloseTo(20 * Math.log10(10_000 / 32_768), 1);
    expect(levelAt(pcm, 660)).toBeLessThan(-50);
    expect(await media.listener.first("played", "tone")).toEqual({
      told: "played",
      target: "tone",
      play: 7,
      offset_ms: 500,
    });
    expect((await peer.listen(3)).some(sounds)).toBe(false);
    expectUnbroken(peer.heard);
  });

  test("of many chunks arrives sample by sample, and ends in the middle of a packet", async () => {
    const peer = await call("long");
    const pcm = sine(233, 3300).map((sample, at) => ((sample + at * 17) % 30_000) | 1);
    const file = await media.file("long.wav", pcm.slice(0, -33));
    await media.link.play("long", 1, file, 0);
    const from = peer.heard.length;
    expect(await media.listener.first("played", "long")).toMatchObject({ offset_ms: 3295 });
    await peer.listen(1);
    const wire = Buffer.concat(peer.heard.slice(from).map(({ body }) => body));
    const wanted = Buffer.concat([mulaw.encode(pcm.slice(0, -33)), Buffer.alloc(33, 0xff)]);
    const at = wire.indexOf(wanted.subarray(0, 160));
    expect(at % 160).toBe(0);
    expect(wire.subarray(at, at + wanted.length).equals(wanted)).toBe(true);
  });

  test("begins at an offset, and tells where it was stopped, to the frame", async () => {
    const peer = await call("offset");
    const quiet = new Int16Array(8000);
    const file = await media.file("offset.wav", Int16Array.from([...quiet, ...sine(1000, 2000)]));
    await media.link.play("offset", 3, file, 900);
    await peer.next(sounds);
    await peer.listen(10);
    const stopped = await media.link.stop("offset");
    const heard = peer.heard.filter(sounds).length;
    expect(stopped?.play).toBe(3);
    // The packet that the stop overtook may still have been on its way to the peer.
    expect([1000 + heard * 20, 1020 + heard * 20]).toContain(stopped?.offset_ms);
    const { length } = peer.heard;
    await peer.listen(4);
    expect(peer.heard.slice(length + 1).some(sounds)).toBe(false);
    expect(await media.link.stop("offset")).toBeNull();
    expect(media.listener.about("offset")).toEqual([]);
  });

  test("is replaced by the next one at once, and only the next one's end is told", async () => {
    const peer = await call("replace");
    await media.link.play("replace", 1, await media.file("first.wav", sine(500, 5000)), 0);
    await peer.next(sounds);
    await media.link.play("replace", 2, await media.file("second.wav", sine(1000, 200)), 0);
    expect(await media.listener.first("played", "replace")).toMatchObject({ play: 2, offset_ms: 200 });
    await peer.next((packet) => !sounds(packet));
    const pcm = samples(peer.heard.filter(sounds).slice(-9));
    expect(levelAt(pcm, 1000)).toBeGreaterThan(levelAt(pcm, 500) + 30);
  });

  test("goes on unheard while on hold", async () => {
    const peer = await call("unheard");
    await media.link.play("unheard", 1, await media.file("unheard.wav", sine(500, 400)), 0);
    await media.link.remote("unheard", remote(peer.port, { send: false }));
    const { length } = peer.heard;
    expect(await media.listener.first("played", "unheard")).toMatchObject({ offset_ms: 400 });
    expect(peer.heard.length - length).toBeLessThanOrEqual(1);
  });

  test("waits for the caller's address", async () => {
    const peer = await RtpPeer.bind();
    peers.push(peer);
    await media.link.open("waits", "socket");
    await media.link.play("waits", 1, await media.file("waits.wav", sine(500, 100)), 0);
    const witness = await call("witness of waits");
    await witness.listen(10);
    await media.link.remote("waits", remote(peer.port));
    await media.listener.first("played", "waits");
    await peer.next((packet) => !sounds(packet));
    expect(peer.heard.filter(sounds).length).toBe(5);
  });

  test("that begins beyond its end, or is empty, has been played", async () => {
    await call("beyond");
    await media.link.play("beyond", 1, await media.file("beyond.wav", sine(500, 100)), 100_000);
    expect(await media.listener.first("played", "beyond")).toMatchObject({ play: 1, offset_ms: 100 });
    await call("empty");
    await media.link.play("empty", 1, await media.file("empty.wav", new Int16Array(0)), 0);
    expect(await media.listener.first("played", "empty")).toMatchObject({ play: 1, offset_ms: 0 });
  });

  test("that is not there, is a folder, or is shorter than announced has failed, and the stream goes on", async () => {
    const peer = await call("broken");
    await media.link.play("broken", 1, { path: "/nonexistent/file.wav", samples: 8000 }, 0);
    await media.listener.first("play_failed", "broken");
    const short = await media.file("short.wav", sine(500, 100));
    await call("short");
    await media.link.play("short", 2, { path: short.path, samples: 8000 }, 0);
    expect(await media.listener.first("play_failed", "short")).toMatchObject({ play: 2 });
    expect(await media.lines.find(({ target }) => target === "short")).toMatchObject({
      msg: "file could not be played",
    });
    await call("folder");
    await media.link.play("folder", 3, { path: "/", samples: 8000 }, 0);
    expect(await media.listener.first("play_failed", "folder")).toMatchObject({ play: 3 });
    expect(await media.link.stop("broken")).toBeNull();
    await peer.listen(2);
  });
});
