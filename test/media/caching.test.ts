/** Which requests are made of a server, by what it says of its files; and what becomes of those who wait for one. */
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Place } from "./place";
import { tone, wav } from "./sound";

const file = wav(tone(1000, 8000, 800), 8000);
const another = wav(tone(500, 8000, 1600), 8000);
const lasting = { "Cache-Control": "max-age=3600" };
const tagged = { ETag: '"1"' };

let place: Place;
beforeEach(async () => {
  place = await Place.open();
});
afterEach(() => place.close());

type Headers = Readonly<Record<string, string>>;
/** Sends this file with these fields, or only that it has not changed. */
const sends =
  (headers: Headers, what = file) =>
  (
    { headers: { "if-none-match": tag, "if-modified-since": time } }: IncomingMessage,
    response: ServerResponse,
  ): void => {
    const same = tag !== undefined ? tag === headers.ETag : time !== undefined && time === headers["Last-Modified"];
    if (same) response.writeHead(304, headers).end();
    else response.writeHead(200, headers).end(what);
  };
/** What was asked of the server, each by its conditions. */
const asked = (): (string | null)[] =>
  place.requests.map(({ headers }) => headers["if-none-match"] ?? headers["if-modified-since"] ?? null);

describe("a file that is asked for again", () => {
  test.each<[string, Headers]>([
    ["max-age", lasting],
    ["Expires", { Expires: "Fri, 31 Dec 9999 23:59:59 GMT" }],
  ])("fresh by %s, no request is made, for whichever call", async (_what, headers) => {
    const url = place.serve("file", sends(headers));
    const first = await place.files.share().open(url);
    const second = await place.files.share().open(`${url}#t=10`);
    expect(second.path).toBe(first.path);
    first.release();
    second.release();
    await expect(place.samples(url)).resolves.toHaveLength(800);
    expect(asked()).toEqual([null]);
  });

  test.each<[string, Headers, string]>([
    ["by its tag", tagged, '"1"'],
    ["by its time", { "Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT" }, "Sun, 06 Nov 1994 08:49:37 GMT"],
  ])("stale, the server is asked whether it still holds: %s", async (_what, headers, condition) => {
    const url = place.serve("file", sends({ ...headers, "Cache-Control": "no-cache" }));
    const [{ path: first, release }] = [await place.files.share().open(url)];
    release();
    for (let round = 0; round < 2; round++) {
      const again = await place.files.share().open(url);
      expect(again.path).toBe(first);
      await expect(place.read(again)).resolves.toHaveLength(800);
      again.release();
    }
    expect(asked()).toEqual([null, condition, condition]);
  });

  test("that it holds renews it for as long as is said then", async () => {
    const url = place.serve("file", sends(tagged));
    await place.samples(url);
    place.serve("file", sends({ ...tagged, ...lasting }));
    for (let round = 0; round < 3; round++) await expect(place.samples(url)).resolves.toHaveLength(800);
    expect(asked()).toEqual([null, '"1"']);
  });

  test("changed at its server, the new one is played and the old one is removed once nobody plays it", async () => {
    const url = place.serve("file", sends(tagged));
    const old = await place.files.share().open(url);
    place.serve("file", sends({ ETag: '"2"' }, another));
    await expect(place.samples(url)).resolves.toHaveLength(1600);
    await expect(place.read(old)).resolves.toHaveLength(800);
    old.release();
    await place.stays(1);
    await expect(place.samples(url)).resolves.toHaveLength(1600);
    expect(asked()).toEqual([null, '"1"', '"2"']);
  });

  test("changed into what cannot be played, it is played no more", async () => {
    const url = place.serve("file", sends(tagged));
    await place.samples(url);
    place.serve("file", sends({ ETag: '"2"' }, Buffer.from("no sound")));
    await expect(place.refusal(url)).resolves.toBe("unsupported_format");
    await place.stays(0);
  });

  test("of which another version is said to hold is asked for as a whole", async () => {
    const url = place.serve("file", sends(tagged));
    await place.samples(url);
    place.serve("file", ({ headers }, response) => {
      response.setHeader("ETag", '"2"');
      if (headers["if-none-match"]) response.writeHead(304).end();
      else response.end(another);
    });
    await expect(place.samples(url)).resolves.toHaveLength(1600);
    expect(asked()).toEqual([null, '"1"', null]);
  });

  test("a server that cannot be asked makes it no longer playable, and is asked again", async () => {
    const url = place.serve("file", sends(tagged));
    await place.samples(url);
    place.serve("file", (_, response) => response.writeHead(503).end());
    await expect(place.refusal(url)).resolves.toBe("unreachable");
    place.serve("file", sends(tagged));
    await expect(place.samples(url)).resolves.toHaveLength(800);
    expect(asked()).toEqual([null, '"1"', '"1"']);
  });

  test.each<[string, Headers]>([
    ["nothing", {}],
    ["no-store", { ...tagged, "Cache-Control": "no-store" }],
    ["that it is private", { ...tagged, ...lasting, "Cache-Control": "private, max-age=3600" }],
    ["that it varies", { ...tagged, ...lasting, Vary: "*" }],
  ])("of which is said %s is fetched anew, and nothing of it stays", async (_what, headers) => {
    const url = place.serve("file", sends(headers));
    for (let round = 0; round < 2; round++) {
      await expect(place.samples(url)).resolves.toHaveLength(800);
      await place.stays(0);
    }
    expect(asked()).toEqual([null, null]);
  });

  test("by whoever names no password is not the one that was sent for a password", async () => {
    const url = place.serve("file", sends(lasting));
    const secret = url.replace("//", "//name:password@");
    for (const each of [secret, secret, url]) await place.samples(each);
    expect(place.requests.map(({ headers }) => headers.authorization !== undefined)).toEqual([true, true, false]);
  });

  test("by way of a redirect: that is asked for again, the file is not", async () => {
    place.serve("there", sends(lasting));
    const url = place.serve("here", (_, response) => response.writeHead(302, { Location: "/there" }).end());
    for (let round = 0; round < 2; round++) await expect(place.samples(url)).resolves.toHaveLength(800);
    expect(place.requests.map((request) => request.url)).toEqual(["/here", "/there", "/here"]);
  });

  test("by way of a redirect to a URL that is longer than one remembers: that is asked for again, too", async () => {
    const far = `there-${"x".repeat(2048)}`;
    place.serve(far, sends(lasting));
    const url = place.serve("here", (_, response) => response.writeHead(302, { Location: `/${far}` }).end());
    for (let round = 0; round < 2; round++) await expect(place.samples(url)).resolves.toHaveLength(800);
    expect(asked()).toHaveLength(4);
  });

  test.each<[string, number, string]>([
    ["missing", 404, "not_found"],
    ["broken", 500, "unreachable"],
  ])("a failure is not kept: %s", async (_what, status, reason) => {
    const url = place.serve("file", (_, response) => response.writeHead(status, lasting).end());
    await expect(place.refusal(url)).resolves.toBe(reason);
    place.serve("file", sends(lasting));
    await expect(place.samples(url)).resolves.toHaveLength(800);
  });
});

/** A server that answers when the test says so, each request in its turn. */
class Slow {
  readonly url: string;
  readonly #responses: ServerResponse[] = [];
  #came: () => void = () => undefined;

  constructor(name = "file") {
    this.url = place.serve(name, (_, response) => {
      this.#responses.push(response);
      this.#came();
    });
  }

  async request(nth: number): Promise<ServerResponse> {
    for (;;) {
      const response = this.#responses[nth - 1];
      if (response) return response;
      await new Promise<void>((resolve) => {
        this.#came = resolve;
      });
    }
  }
}

describe("those who ask for a file while it is on its way", () => {
  test("share it, and whoever gives up leaves it to the others", async () => {
    const slow = new Slow();
    const caller = new AbortController();
    const first = place.files.share().open(slow.url, caller.signal);
    const others = [1, 2, 3].map(() => place.files.share().open(slow.url));
    const response = await slow.request(1);
    caller.abort();
    await expect(first).rejects.toMatchObject({ name: "AbortError" });
    response.end(file);
    const opened = await Promise.all(others);
    expect(new Set(opened.map((each) => each.path)).size).toBe(1);
    expect(asked()).toHaveLength(1);
    for (const each of opened) each.release();
    await place.stays(0);
  });

  test("all give up: the transfer ends, and the next one begins a new one", async () => {
    const slow = new Slow();
    const callers = [new AbortController(), new AbortController()];
    const all = callers.map(({ signal }) => place.files.share().open(slow.url, signal));
    const response = await slow.request(1);
    const closed = once(response, "close");
    for (const caller of callers) caller.abort();
    await Promise.allSettled(all);
    await closed;
    const next = place.samples(slow.url);
    (await slow.request(2)).end(file);
    await expect(next).resolves.toHaveLength(800);
  });

  test("share why it cannot be had", async () => {
    const slow = new Slow();
    const all = [1, 2].map(() => place.refusal(slow.url));
    (await slow.request(1)).writeHead(404).end();
    expect(await Promise.all(all)).toEqual(["not_found", "not_found"]);
    expect(asked()).toHaveLength(1);
  });

  test("join it also when its head is there, as long as what it says makes it fresh", async () => {
    const slow = new Slow();
    const first = place.samples(slow.url);
    const response = await slow.request(1);
    const sent = place.message("media file begins to come");
    response.writeHead(200, lasting).write(file.subarray(0, 100));
    await sent;
    const second = place.samples(slow.url);
    response.end(file.subarray(100));
    await Promise.all([first, second]);
    expect(asked()).toHaveLength(1);
  });

  test("and come after the head of one that is not fresh have one of their own", async () => {
    const slow = new Slow();
    const first = place.samples(slow.url);
    const response = await slow.request(1);
    const sent = place.message("media file begins to come");
    response.writeHead(200, tagged).write(file.subarray(0, 100));
    await sent;
    const second = place.samples(slow.url);
    (await slow.request(2)).writeHead(200, tagged).end(another);
    await expect(second).resolves.toHaveLength(1600);
    response.end(file.subarray(100));
    await expect(first).resolves.toHaveLength(800);
  });

  test.each<[string, Headers]>([
    ["no-store", { "Cache-Control": "no-store" }],
    ["private", { "Cache-Control": "private" }],
    ["no-cache", { "Cache-Control": "no-cache", ...tagged }],
  ])("ask each for himself once it turns out to be %s, without waiting for the first", async (_what, headers) => {
    const slow = new Slow();
    const all = [1, 2, 3].map(() => place.files.share().open(slow.url));
    const first = await slow.request(1);
    first.writeHead(200, headers).write(file.subarray(0, 100));
    for (const nth of [2, 3]) (await slow.request(nth)).writeHead(200, headers).end(file);
    first.end(file.subarray(100));
    const opened = await Promise.all(all);
    expect(new Set(opened.map((each) => each.path)).size).toBe(3);
    for (const each of opened) each.release();
  });

  test("the first of them gives up when it turns out to be for him alone: the others are served", async () => {
    const slow = new Slow();
    const caller = new AbortController();
    const first = place.files.share().open(slow.url, caller.signal);
    const second = place.samples(slow.url);
    const response = await slow.request(1);
    const closed = once(response, "close");
    response.writeHead(200, { "Cache-Control": "no-store" }).write(file.subarray(0, 100));
    const other = await slow.request(2);
    caller.abort();
    await expect(first).rejects.toMatchObject({ name: "AbortError" });
    await closed;
    other.end(file);
    await expect(second).resolves.toHaveLength(800);
  });

  test("late have their own time when that of the first is up", async () => {
    await place.close();
    place = await Place.open({ timeoutMs: 600 });
    const slow = new Slow();
    const first = place.refusal(slow.url);
    await slow.request(1);
    // Somebody else's time is up, half of his is.
    const quick = await Place.open({ timeoutMs: 300 });
    await expect(quick.refusal(() => undefined)).resolves.toBe("timeout");
    await quick.close();
    const second = place.samples(slow.url);
    await expect(first).resolves.toBe("timeout");
    (await slow.request(2)).end(file);
    await expect(second).resolves.toHaveLength(800);
  });
});
