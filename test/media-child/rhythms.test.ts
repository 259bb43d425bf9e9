/** The room in a time of its own: beat by beat, with members of all rhythms. */
import { expect, test } from "@jest/globals";
import { mulaw } from "alawmulaw";
import { JitterBuffer } from "../../src/engines/embedded/media/jitter";
import { Room } from "../../src/engines/embedded/media/room";
import { parse } from "../../src/engines/embedded/media/rtp";
import { unlike } from "./party";
import { rtp } from "./peer";
import { find } from "./wav";

const said = unlike(8 * 4000);
const heard = mulaw.decode(mulaw.encode(said));

/** Puts the packet of this beat into the speaker's buffer, if there is one. */
function speak(voice: JitterBuffer, beat: number): void {
  if (beat % 4 !== 0) return;
  const at = beat * 40;
  const datagram = rtp({ sequence: beat / 4, timestamp: at }, mulaw.encode(said.slice(at, at + 160)));
  const packet = parse(datagram);
  if (packet) voice.put(datagram, packet, 0);
}

const rhythms = [10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60].flatMap((ptime) =>
  [0, 1, 2, 3].map((phase) => [ptime, phase]),
);

test.each(rhythms)(
  "packets of %i ms, on beat %i: from his first sample on, a member misses none and hears none twice",
  (ptime, phase) => {
    const room = new Room("room", 1, () => undefined);
    const voice = new JitterBuffer();
    const speaker = room.take(voice, false, () => undefined);
    const every = ptime / 5;
    const count = ptime * 8;
    const output: number[] = [];
    const own: number[] = [];
    let member = speaker;
    const begin = 100 + phase;
    for (let beat = 0; beat < 700; beat++) {
      speak(voice, beat);
      if (beat === begin) member = room.take(new JitterBuffer(), false, () => undefined);
      room.beat(beat);
      if (beat < begin || (beat - begin) % every !== 0) continue;
      const pcm = new Int16Array(count);
      member.read(pcm, new Int16Array(count), count);
      output.push(...pcm);
      const echo = new Int16Array(count);
      speaker.read(echo, new Int16Array(count), count);
      own.push(...echo);
    }
    const pcm = Int16Array.from(output);
    const first = pcm.findIndex((sample) => sample !== 0);
    // The room holds what was said before he came; who comes hears it from then on.
    expect(first).toBeLessThanOrEqual(100 * 8);
    const at = find(heard, pcm.slice(first, first + 160));
    expect(at).toBeGreaterThan(0);
    expect(pcm.slice(first)).toEqual(heard.slice(at, at + pcm.length - first));
    expect(own.every((sample) => sample === 0)).toBe(true);
  },
);
