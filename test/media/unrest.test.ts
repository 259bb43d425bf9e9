/** Many calls at once, of which many hang up at any moment: whatever happens, nothing of the room is lost. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, expect, test } from "@jest/globals";
import type { MediaFile, MediaShare } from "../../src/media/files";
import { Place } from "./place";
import { tone, wav } from "./sound";

const file = wav(tone(1000, 8000, 800), 8000);
const bytes = 1644;

/** The same numbers each time, from 0 up to this one. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * sides);
  };
}

const fields: readonly Readonly<Record<string, string>>[] = [
  {},
  { "Cache-Control": "max-age=3600" },
  { "Cache-Control": "no-store" },
  { "Cache-Control": "no-cache", ETag: '"1"' },
  { ETag: '"1"' },
];

/** Each answers in its own way, some only half. */
function serve(place: Place, roll: (sides: number) => number): string[] {
  const answer =
    (headers: Readonly<Record<string, string>>) => async (request: IncomingMessage, response: ServerResponse) => {
      for (let turns = roll(50); turns > 0; turns--) await turn();
      const whim = roll(8);
      if (request.headers["if-none-match"] && roll(3) > 0) response.writeHead(304, headers).end();
      else if (whim === 0) response.writeHead(404).end();
      else if (whim === 1) response.writeHead(302, { Location: "/0" }).end();
      else {
        response.writeHead(200, headers).write(file.subarray(0, 100));
        for (let turns = roll(50); turns > 0; turns--) await turn();
        if (roll(8) === 0) response.destroy();
        else response.end(file.subarray(100));
      }
    };
  return Array.from({ length: 15 }, (_, i) =>
    place.serve(String(i), (request, response) => void answer(fields[i % fields.length] ?? {})(request, response)),
  );
}

async function call(share: MediaShare, url: string, roll: (sides: number) => number): Promise<boolean> {
  const caller = new AbortController();
  const opened = share.open(url, roll(2) ? caller.signal : undefined).then(
    (held: MediaFile) => held,
    () => null,
  );
  for (let turns = roll(100); turns > 0; turns--) await turn();
  caller.abort();
  const held = await opened;
  for (let turns = roll(20); turns > 0; turns--) await turn();
  held?.release();
  return held !== null;
}

let place: Place;
afterEach(() => place.close());

test.each([1, 2, 3])("round %i", async (seed) => {
  place = await Place.open({ maxDiskBytes: 160_000, maxCacheBytes: 5 * bytes, maxOpening: 6 });
  const roll = dice(seed);
  const urls = serve(place, roll);
  const shares = Array.from({ length: 8 }, () => place.files.share());
  const calls = Array.from({ length: 200 }, async () => {
    const share = shares[roll(shares.length)] ?? place.files.share();
    for (let turns = roll(300); turns > 0; turns--) await turn();
    return call(share, urls[roll(urls.length)] ?? "", roll);
  });
  const played = (await Promise.all(calls)).filter((held) => held).length;
  expect(played).toBeGreaterThan(20);
  expect(played).toBeLessThan(200);
  // Of what is kept there is no more than there may be, and of what came in between nothing.
  await place.atMost(5);
  expect((await place.held()).every((name) => name.endsWith(".wav"))).toBe(true);
  // All the room that there is can be taken, and all of each share, without waiting for it.
  const waited = place.count("media file waits for room");
  const url = place.serve("file", file);
  const fill = async (count: number, share: () => MediaShare): Promise<void> => {
    const held: MediaFile[] = [];
    for (let nth = 0; nth < count; nth++) held.push(await share().open(url));
    for (const each of held) each.release();
    await place.atMost(5);
  };
  await fill(55, () => place.files.share());
  for (const share of shares) await fill(7, () => share);
  expect(place.count("media file waits for room")).toBe(waited);
});
