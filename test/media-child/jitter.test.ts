/** The jitter buffer in a time of its own: packets arrive when the test says so, and samples are taken every 20 ms. */
import { describe, expect, test } from "@jest/globals";
import { alaw, mulaw } from "alawmulaw";
import { JitterBuffer } from "../../src/engines/embedded/media/jitter";
import { parse } from "../../src/engines/embedded/media/rtp";
import { unlike } from "./party";
import { level, rtp, type Sent } from "./peer";
import { find } from "./wav";

interface Arrival {
  /** Milliseconds. */
  readonly at: number;
  readonly datagram: Buffer;
}

const frame = 160;
const coded = (pcm: Int16Array) => mulaw.decode(mulaw.encode(pcm));

/** Packets of 20 ms, sent one every `every` ms, beginning at 10 ms. */
function stream(pcm: Int16Array, every = 20, fields: Sent = {}): Arrival[] {
  const { sequence = 65_500, timestamp = 4_294_960_000 } = fields;
  return Array.from({ length: Math.ceil(pcm.length / frame) }, (_, index) => ({
    at: 10 + index * every,
    datagram: rtp(
      { ...fields, sequence: sequence + index, timestamp: timestamp + index * frame },
      mulaw.encode(pcm.slice(index * frame, (index + 1) * frame)),
    ),
  }));
}

/** What comes out of `buffer` in so many milliseconds, `step` ms at a time. */
function play(arrivals: readonly Arrival[], ms: number, step = 20, buffer = new JitterBuffer()): Int16Array {
  const waiting = arrivals.toSorted((one, other) => one.at - other.at);
  const output = new Int16Array(ms * 8);
  for (let now = 0; now < ms; now += step) {
    while (waiting[0] !== undefined && waiting[0].at <= now) {
      const datagram = waiting.shift()?.datagram ?? Buffer.alloc(0);
      const packet = parse(datagram);
      if (packet) buffer.put(datagram, packet, packet.payload === 8 ? 8 : 0);
    }
    buffer.take(output, now * 8, step * 8);
  }
  return output;
}

/** Numbers from 0 to 1, the same in each run. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A click each second, in a faint noise that is no silence. */
function clicks(seconds: number): Int16Array {
  return Int16Array.from({ length: seconds * 8000 }, (_, at) => (at % 8000 === 4000 ? 30_000 : (at % 7) * 4));
}

/** Milliseconds from each click's sending to its sounding. `every`: ms from packet to packet at the sender. */
function delays(output: Int16Array, every = 20): number[] {
  const heard = [...output.keys()].filter((at) => (output[at] ?? 0) > 25_000);
  return heard.map((at, index) => at / 8 - (10 + (index * 8000 + 4000) * (every / 20 / 8)));
}

describe("sample by sample", () => {
  const pcm = unlike(8 * 1000);
  const whole = coded(pcm);

  test.each([5, 10, 20, 30, 60])("even packets come out as they are, %i ms at a time, within 80 ms", (step) => {
    const output = play(stream(pcm), 1200, step);
    const at = find(output, whole);
    expect(at).toBeGreaterThanOrEqual(0);
    expect(at / 8).toBeLessThanOrEqual(10 + 80);
    expect(output.slice(0, at).every((sample) => sample === 0)).toBe(true);
  });

  test.each([20, 60])("also when the first packet comes just before the first %i ms are taken", (step) => {
    const late = stream(pcm).map(({ at, datagram }) => ({ at: at + step - 10.5, datagram }));
    expect(find(play(late, 1200, step), whole)).toBeGreaterThanOrEqual(0);
    const early = stream(pcm).map(({ at, datagram }) => ({ at: at + step - 29.5, datagram }));
    expect(find(play(early, 1200, step), whole)).toBeGreaterThanOrEqual(0);
  });

  test("of both laws, whatever was agreed", () => {
    const body = alaw.encode(pcm.slice(0, frame));
    const output = play([{ at: 10, datagram: rtp({ payload: 8 }, body) }], 100);
    expect(find(output, alaw.decode(body))).toBeGreaterThan(0);
  });

  test("packets that overtake each other, and repeats, change nothing", () => {
    const random = chance(1);
    const arrivals = stream(pcm).map(({ at, datagram }, index) => ({
      at: index === 0 ? at : at + random() * 25,
      datagram,
    }));
    const twice = arrivals.flatMap((arrival) => [arrival, { ...arrival, at: arrival.at + random() * 100 }]);
    expect(find(play(twice, 1200), whole)).toBeGreaterThanOrEqual(0);
  });

  test("a burst is kept", () => {
    const arrivals = stream(pcm.slice(0, 8 * 400)).map(({ datagram }) => ({ at: 10, datagram }));
    expect(find(play(arrivals, 600), whole.slice(0, 8 * 400))).toBeGreaterThanOrEqual(0);
  });

  test("a packet that is lost leaves all others in their places, and is made up of what was before it", () => {
    const output = play(
      stream(pcm).filter((_, index) => index !== 20),
      1200,
    );
    const at = find(output, whole.slice(0, 20 * frame));
    expect(at).toBeGreaterThanOrEqual(0);
    expect(find(output, whole.slice(21 * frame))).toBe(at + 21 * frame);
    const made = output.slice(at + 20 * frame, at + 21 * frame);
    expect(level(made)).toBeLessThan(level(whole));
    expect(level(made)).toBeGreaterThan(level(whole) - 6);
  });

  test("who stops fades away, is silent, and comes back in time", () => {
    const arrivals = stream(pcm).filter((_, index) => index < 10 || index >= 40);
    const output = play(arrivals, 1200);
    const at = find(output, whole.slice(0, 10 * frame));
    expect(output.slice(at + 12 * frame, at + 40 * frame).every((sample) => sample === 0)).toBe(true);
    expect(find(output, whole.slice(40 * frame))).toBe(at + 40 * frame);
  });
});

describe("a new beginning", () => {
  const first = unlike(8 * 200);
  const second = first.map((sample) => sample ^ 0x70);
  const later = (arrivals: readonly Arrival[], ms: number) =>
    arrivals.map(({ at, datagram }) => ({ at: at + ms, datagram }));

  test.each([
    ["another source", 200, { ssrc: 77 }],
    ["another source with the same numbers", 200, { ssrc: 77, sequence: 65_500, timestamp: 4_294_960_000 }],
    ["a timestamp far ahead", 200, { sequence: 65_510, timestamp: 4_294_960_000 + 3_000_000 }],
    ["a timestamp that stood still in a pause, with a marker", 500, { sequence: 65_510, timestamp: 4_294_961_600 }],
  ])("by %s is heard whole", (what, after, fields) => {
    const arrivals = later(stream(second, 20, fields), after);
    if (what.includes("marker")) arrivals[0]?.datagram.writeUInt8(0x80, 1);
    const output = play([...stream(first), ...arrivals], 1000);
    expect(find(output, coded(second))).toBeGreaterThan(0);
  });

  test("by a timestamp that stood still, without a marker, is heard but for its first 100 ms", () => {
    const fields = { sequence: 65_510, timestamp: 4_294_961_600 };
    const output = play([...stream(first), ...later(stream(second, 20, fields), 500)], 1000);
    expect(find(output, coded(second.slice(8 * 100)))).toBeGreaterThan(0);
  });

  test("by numbers that begin anew is heard but for its first 100 ms", () => {
    const fields = { sequence: 3, timestamp: 100 };
    const output = play([...stream(first), ...later(stream(second, 20, fields), 200)], 1000);
    expect(find(output, coded(second.slice(8 * 100)))).toBeGreaterThan(0);
  });
});

describe("the delay", () => {
  test.each([30, 60, 90])(
    "grows with %i ms of jitter until nothing is lost, and shrinks when there is none",
    (jitter) => {
      const random = chance(jitter);
      const pcm = unlike(30_000 * 8);
      const rough = stream(pcm).map(({ at, datagram }, index) => {
        const shaken = index * 20 > 500 && index * 20 < 15_000;
        return { at: shaken ? at + random() * jitter : at, datagram };
      });
      const output = play(rough, 30_200);
      const middle = coded(pcm).slice(10_000 * 8, 11_000 * 8);
      const at = find(output, middle, 9_900 * 8);
      expect(at).toBeGreaterThan(0);
      expect(at / 8 - 10_010).toBeLessThanOrEqual(jitter + 100);
      const end = coded(pcm).slice(29_000 * 8, 29_900 * 8);
      expect(find(output, end, 29_000 * 8) / 8 - 29_010).toBeLessThanOrEqual(100);
    },
  );

  test("grows with packets that come out of order, until they come in time", () => {
    const pcm = unlike(8 * 5000);
    const arrivals = stream(pcm).map(({ at, datagram }, index) => ({ at: index % 5 === 4 ? at + 90 : at, datagram }));
    expect(find(play(arrivals, 5300), coded(pcm).slice(8 * 1000), 8 * 900)).toBeGreaterThan(0);
  });

  test("is short again after a burst", () => {
    const arrivals = stream(clicks(10)).map(({ at, datagram }) => ({
      at: at > 2000 && at < 2300 ? 2300 : at,
      datagram,
    }));
    const found = delays(play(arrivals, 10_200));
    expect(found.length).toBe(10);
    expect(found.at(-1)).toBeLessThanOrEqual(100);
  });

  test.each([
    ["faster", 19.9],
    ["slower", 20.1],
  ])("stays short for a clock that is %s by half a percent, for a minute", (_, every) => {
    const pcm = clicks(60);
    const output = play(stream(pcm, every), 60_400);
    const found = delays(output, every);
    expect(found.length).toBe(60);
    expect(Math.min(...found)).toBeGreaterThan(0);
    expect(Math.max(...found)).toBeLessThanOrEqual(120);
  });

  test("a steady tone goes through a foreign clock with few seams", () => {
    const tone = Int16Array.from({ length: 8 * 60_000 }, (_, at) => 10_000 * Math.sin((2 * Math.PI * 437 * at) / 8000));
    const output = play(stream(tone, 19.9), 59_600).slice(8 * 1000);
    expect(level(output)).toBeCloseTo(level(tone), 1);
    // No step is steeper than the tone's own.
    const steepest = output.reduce(
      (most, sample, at) => Math.max(most, Math.abs(sample - (output[at - 1] ?? sample))),
      0,
    );
    expect(steepest).toBeLessThan(5000);
  });
});

test("after time that was skipped, what is old does not sound", () => {
  const buffer = new JitterBuffer();
  const pcm = unlike(8 * 400);
  play(stream(pcm), 100, 20, buffer);
  buffer.reset();
  expect(
    play([], 200, 20, buffer)
      .slice(400)
      .every((sample) => sample === 0),
  ).toBe(true);
  expect(find(play(stream(pcm, 20, { sequence: 9, timestamp: 9 }), 600, 20, buffer), coded(pcm))).toBeGreaterThan(0);
});

test("whatever comes, so many samples come out as are asked for", () => {
  const random = chance(7);
  const buffer = new JitterBuffer();
  const any = (limit: number) => Math.floor(random() * limit);
  const wild = Array.from({ length: 20_000 }, () => ({
    at: any(60_000),
    datagram: rtp(
      {
        sequence: any(65_536),
        timestamp: any(2 ** 32),
        ssrc: any(2),
        marker: random() < 0.1,
        payload: random() < 0.5 ? 0 : 8,
      },
      Buffer.alloc(random() < 0.1 ? any(3000) : any(400), any(256)),
    ),
  }));
  play(wild, 60_000, 20, buffer);
  const pcm = unlike(8 * 400);
  const after = play(stream(pcm, 20, { ssrc: 9 }), 600, 20, buffer);
  expect(find(after, coded(pcm))).toBeGreaterThan(0);
});
