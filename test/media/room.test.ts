/** What becomes of files when others have taken the room or all places. */
import { stat } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import path from "node:path";
import { afterEach, describe, expect, test } from "@jest/globals";
import type { MediaFilesOptions } from "../../src/media/files";
import { Place } from "./place";
import { tone, wav } from "./sound";

/** 800 samples are 1644 bytes; while they are decoded, the worst that so many can become is counted: 29,636. */
const file = wav(tone(1000, 8000, 800), 8000);
/** Of it a quarter is for files as they come, and a third of the rest for one call: 40,000 each. */
const maxDiskBytes = 160_000;

let place: Place;
async function open(options: Partial<MediaFilesOptions>): Promise<void> {
  place = await Place.open(options);
}
afterEach(async () => {
  expect(await place.left()).toEqual([]);
  await place.close();
});

/** Resolves once a file of this size is there. */
async function onDisk(bytes: number): Promise<void> {
  for (;;) {
    for (const name of await place.held()) if ((await stat(path.join(place.parent, name))).size === bytes) return;
  }
}

/** A file that is sent when the test says so. */
function later(name: string): { readonly url: string; readonly requested: Promise<ServerResponse> } {
  let url = "";
  const requested = new Promise<ServerResponse>((resolve) => {
    url = place.serve(name, (_, response) => resolve(response));
  });
  return { url, requested };
}

describe("the share of one call", () => {
  test("a file waits until another of the call is released; other calls do not", async () => {
    await open({ maxDiskBytes });
    const url = place.serve("file", file);
    const share = place.files.share();
    // Seven of them leave less than one needs while it is decoded.
    const held = [];
    for (let i = 0; i < 7; i++) held.push(await share.open(url));
    const waiting = place.samples(url, share);
    await place.message("media file waits for room");
    await expect(place.samples(url)).resolves.toHaveLength(800);
    for (const { release } of held) release();
    await expect(waiting).resolves.toHaveLength(800);
  });

  test("it does not wait for ever, and not once the call has ended", async () => {
    await open({ maxDiskBytes, timeoutMs: 500 });
    const url = place.serve("file", file);
    const share = place.files.share();
    const held = [];
    for (let i = 0; i < 7; i++) held.push(await share.open(url));
    await expect(place.refusal(url, share)).resolves.toBe("timeout");
    const ended = new AbortController();
    const waiting = expect(share.open(url, ended.signal)).rejects.toMatchObject({ name: "AbortError" });
    await place.message("media file waits for room", 2);
    ended.abort();
    await waiting;
    for (const { release } of held) release();
    await expect(place.samples(url, share)).resolves.toHaveLength(800);
  });
});

describe("the room of all", () => {
  test("bytes wait until another transfer is over", async () => {
    await open({ maxDiskBytes });
    const { url, requested } = later("endless");
    const caller = new AbortController();
    const endless = expect(place.files.share().open(url, caller.signal)).rejects.toMatchObject({ name: "AbortError" });
    (await requested).write(Buffer.alloc(40_000));
    await onDisk(40_000);
    const waiting = place.play(file);
    await place.message("media file waits for room");
    caller.abort();
    await endless;
    await expect(waiting).resolves.toHaveLength(800);
  });

  test("a file that waits for a place has it when another is through, or gives up", async () => {
    await open({ maxOpening: 1 });
    const { url, requested } = later("held");
    const first = place.samples(url);
    const response = await requested;
    const caller = new AbortController();
    const other = place.serve("other", file);
    const waiting = expect(place.files.share().open(other, caller.signal)).rejects.toMatchObject({
      name: "AbortError",
    });
    await place.message("media file waits for room");
    caller.abort();
    await waiting;
    const late = place.play(file);
    await place.message("media file waits for room", 2);
    response.end(file);
    await expect(first).resolves.toHaveLength(800);
    await expect(late).resolves.toHaveLength(800);
  });

  test("a file that is larger than all of it is not waited for", async () => {
    await open({ maxDiskBytes: 16_000 });
    await expect(place.refusal(file)).resolves.toBe("too_large");
  });
});
