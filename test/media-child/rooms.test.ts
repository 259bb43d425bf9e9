import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { mulaw } from "alawmulaw";
import { Media, sine } from "./listener";
import { Party, sounds, tone, unlike, wire } from "./party";
import { level, levelAt } from "./peer";

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

/** A room, and callers in it. */
async function meet(room: string, ...names: string[]): Promise<Party[]> {
  await media.link.openRoom(room);
  const members = await Promise.all(names.map((name) => call(`${room} ${name}`)));
  for (const { name } of members) await media.link.join(name, room, false);
  return members;
}

const plain = (amplitude: number) => 20 * Math.log10(amplitude / 32_768);

/** Of other tones he hears next to nothing, ever; these he hears, for half a second in which no singer was held up. */
async function expectTones(party: Party, tones: readonly number[], others: readonly number[]): Promise<void> {
  // What changed has passed through the jitter buffers.
  await party.listen(200);
  let missing: readonly number[] = [];
  let listened = 0;
  do {
    const pcm = await party.listen(500);
    missing = tones.filter((hz) => Math.abs(tone(pcm, hz) - plain(8000)) > 3);
    expect(others.filter((hz) => tone(pcm, hz) > -35)).toEqual([]);
  } while (missing.length > 0 && ++listened < 5);
  expect(missing).toEqual([]);
}

const wireOf = (pcm: Int16Array): Buffer => Buffer.from(mulaw.encode(pcm));

describe("in a room", () => {
  test("of three, each hears the two others and not himself", async () => {
    const members = await meet("three", "a", "b", "c");
    const tones = [440, 1000, 1700];
    for (const [index, member] of members.entries()) member.sing(tones[index] ?? 0);
    await Promise.all(
      members.map((member, index) => {
        const own = tones[index] ?? 0;
        const others = tones.filter((hz) => hz !== own);
        return expectTones(member, others, [own, 660]);
      }),
    );
  });

  test.each([
    [20, 20],
    [10, 60],
    [60, 10],
    [30, 20],
    [25, 30],
  ])("packets of %i ms come out as packets of %i ms, sample by sample, and not at the speaker's", async (from, to) => {
    const room = `${from} to ${to}`;
    await media.link.openRoom(room);
    const speaker = await call(`${room} speaker`, { ptime: from });
    const listener = await call(`${room} listener`, { ptime: to });
    await media.link.join(speaker.name, room, false);
    await media.link.join(listener.name, room, false);
    await listener.listen(100);
    const pcm = unlike(8 * 300);
    await speaker.burst(pcm);
    const heard = listener.peer.heard.length;
    await listener.listen(800);
    expect(wire(listener.peer.heard.slice(heard)).indexOf(wireOf(pcm))).toBeGreaterThanOrEqual(0);
    expect(speaker.peer.heard.some(sounds)).toBe(false);
  });

  test("one who speaks with the other law is understood", async () => {
    const [speaker, listener] = await meet("laws", "speaker", "listener");
    if (!speaker || !listener) throw new Error("Nobody came");
    speaker.sing(1000, 8000, { payload: 8 });
    await expectTones(listener, [1000], [440]);
  });

  test("voices together that are too loud are cut off, not turned over", async () => {
    const [first, second, listener] = await meet("loud", "first", "second", "listener");
    if (!first || !second || !listener) throw new Error("Nobody came");
    const pcm = new Int16Array(8 * 200).fill(30_000);
    await Promise.all([first.burst(pcm), second.burst(pcm)]);
    const heard = await listener.listen(400);
    expect(Math.max(...heard)).toBe(Math.max(...mulaw.decode(mulaw.encode(Int16Array.of(0x7fff)))));
    expect(Math.min(...heard)).toBeGreaterThanOrEqual(0);
  });

  test("who is muted hears all and is heard by nobody, until he is unmuted", async () => {
    const [first, second] = await meet("mute", "first", "second");
    if (!first || !second) throw new Error("Nobody came");
    first.sing(440);
    second.sing(1000);
    await media.link.mute(first.name, true);
    await Promise.all([expectTones(second, [], [440, 1000]), expectTones(first, [1000], [440])]);
    await media.link.mute(first.name, false);
    await expectTones(second, [440], [1000]);
    const third = await call("mute third");
    third.sing(1700);
    await media.link.join(third.name, "mute", true);
    await Promise.all([expectTones(third, [440, 1000], [1700]), expectTones(second, [440], [1700])]);
  });

  test("who leaves neither hears nor is heard; in the next room he is", async () => {
    const [first, second] = await meet("one", "first", "second");
    const [third] = await meet("two", "third");
    if (!first || !second || !third) throw new Error("Nobody came");
    first.sing(440);
    second.sing(1000);
    third.sing(1700);
    await expectTones(second, [440], [1700]);
    await media.link.leave(first.name);
    await expectTones(second, [], [440, 1000]);
    expect((await first.listen(100)).some((sample) => sample !== 0)).toBe(false);
    await media.link.join(first.name, "two", false);
    await Promise.all([expectTones(third, [440], [1000]), expectTones(first, [1700], [440, 1000])]);
    await media.link.join(first.name, "one", false);
    await Promise.all([expectTones(second, [440], [1700]), expectTones(third, [], [440, 1000])]);
  });

  test("a call that is closed, and a room that is closed, are heard no longer", async () => {
    const [first, second, third] = await meet("ends", "first", "second", "third");
    if (!first || !second || !third) throw new Error("Nobody came");
    first.sing(440);
    second.sing(1000);
    await expectTones(third, [440, 1000], []);
    media.link.close(first.name);
    await expectTones(third, [1000], [440]);
    await media.link.play("ends", 1, { silence_ms: 60_000 }, 0);
    media.link.closeRoom("ends");
    media.link.closeRoom("ends");
    await media.link.ping();
    await third.peer.listen(2);
    expect((await third.peer.listen(5)).some(sounds)).toBe(false);
    for (const asked of [
      media.link.join(third.name, "ends", false),
      media.link.play("ends", 2, { silence_ms: 1 }, 0),
      media.link.stop("ends"),
      media.link.join("nobody", "three", false),
      media.link.leave("nobody"),
      media.link.mute("nobody", true),
    ]) {
      await expect(asked).rejects.toMatchObject({ refusal: "gone" });
    }
    await media.link.leave(third.name);
    await media.link.mute(third.name, true);
    expect(media.listener.about("ends")).toEqual([]);
  });

  test("on hold one hears nothing, speaks all the same, and is back at once", async () => {
    const [held, other] = await meet("hold", "held", "other");
    if (!held || !other) throw new Error("Nobody came");
    const { port } = held.peer;
    const held_ = {
      address: "127.0.0.1",
      port,
      payload: 0,
      dtmfPayload: 101,
      ptime: 20,
      send: false,
      receive: false,
    } as const;
    await media.link.remote(held.name, held_);
    await other.listen(60);
    const { length } = held.peer.heard;
    await held.burst(unlike(8 * 100));
    await other.listen(300);
    expect(held.peer.heard.length - length).toBe(0);
    expect(other.peer.heard.some(sounds)).toBe(true);
    await media.link.remote(held.name, { ...held_, send: true });
    other.sing(1000);
    await expectTones(held, [1000], []);
  });
});

describe("a room", () => {
  test("plays to all of its members, in three volumes, paused and resumed, and tells the end", async () => {
    const [first, second] = await meet("plays", "first", "second");
    if (!first || !second) throw new Error("Nobody came");
    const file = await media.file("room.wav", sine(1000, 60_000, 4000));
    await media.link.play("plays", 1, file, 0, false, -4);
    for (const volume of [-4, 0, 3]) {
      expect(await media.link.volume("plays", volume)).toMatchObject({ play: 1 });
      for (const member of [first, second]) {
        await member.listen(100);
        expect(level(await member.listen(200))).toBeCloseTo(plain(4000) + 3 * volume, 0);
      }
    }
    const paused = await media.link.pause("plays", true);
    await first.listen(100);
    expect((await first.peer.listen(3)).some(sounds)).toBe(false);
    expect(await media.link.pause("plays", false)).toEqual(paused);
    await first.peer.next(sounds);
    expect(await media.link.seek("plays", 59_900)).toEqual({ play: 1, offset_ms: 59_900 });
    expect(await media.listener.first("played", "plays")).toMatchObject({ play: 1, offset_ms: 60_000 });
    await media.link.play("plays", 2, { path: "/nonexistent/room.wav", samples: 8 }, 0);
    expect(await media.listener.first("play_failed", "plays")).toMatchObject({ play: 2 });
    expect(await media.link.volume("plays", 0)).toBeNull();
  });

  test("that is empty plays on", async () => {
    await media.link.openRoom("empty");
    await media.link.play("empty", 1, await media.file("empty.wav", sine(1000, 200)), 0);
    expect(await media.listener.first("played", "empty")).toMatchObject({ play: 1, offset_ms: 200 });
  });

  test("that is opened again is the same", async () => {
    const [first, second] = await meet("again", "first", "second");
    if (!first || !second) throw new Error("Nobody came");
    await media.link.openRoom("again");
    first.sing(440);
    await expectTones(second, [440], []);
  });
});

test("what is played to a member is mixed over the room for him alone", async () => {
  const [first, second, third] = await meet("private", "first", "second", "third");
  if (!first || !second || !third) throw new Error("Nobody came");
  first.sing(440);
  await media.link.play(second.name, 1, await media.file("private.wav", sine(1000, 60_000, 8000)), 0);
  await Promise.all([
    expectTones(second, [440, 1000], []),
    expectTones(third, [440], [1000]),
    expectTones(first, [], [440, 1000]),
  ]);
  expect(await media.link.stop(second.name)).toMatchObject({ play: 1 });
  await expectTones(second, [440], [1000]);
});

test("a simulated caller is heard in a room", async () => {
  const [first] = await meet("sandbox", "first");
  if (!first) throw new Error("Nobody came");
  await media.link.open("sandbox caller", "simulated");
  await media.link.join("sandbox caller", "sandbox", false);
  media.link.tone("sandbox caller", 1, 1000, 400);
  await first.peer.next(sounds);
  const pcm = await first.listen(200);
  expect(levelAt(pcm, 1000)).toBeCloseTo(-10, 0);
  media.link.close("sandbox caller");
});
