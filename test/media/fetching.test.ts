import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, test } from "@jest/globals";
import type { MediaFilesOptions } from "../../src/media/files";
import { Place } from "./place";
import { tone, wav } from "./sound";

const file = wav(tone(1000, 8000, 800), 8000);

const places: Place[] = [];
afterEach(async () => {
  for (const place of places.splice(0)) {
    // Whatever became of a file, nothing of it may stay.
    expect(await place.left()).toEqual([]);
    await place.close();
  }
});
async function open(options: Partial<MediaFilesOptions> = {}): Promise<Place> {
  const place = await Place.open(options);
  places.push(place);
  return place;
}
const redirect =
  (to: string, status = 302) =>
  (_: unknown, response: ServerResponse): void => {
    response.writeHead(status, { Location: to }).end();
  };

describe("redirects", () => {
  test.each([301, 302, 303, 307, 308])("%i is followed", async (status) => {
    const place = await open();
    place.serve("there", file);
    await expect(place.play(redirect("/there", status))).resolves.toHaveLength(800);
  });

  test("three at most", async () => {
    const place = await open();
    place.serve("0", file);
    for (let hop = 1; hop <= 4; hop++) place.serve(String(hop), redirect(`${hop - 1}`));
    await expect(place.samples(place.serve("3", redirect("2")))).resolves.toHaveLength(800);
    await expect(place.refusal(place.serve("4", redirect("3")))).resolves.toBe("unreachable");
  });

  test.each([
    ["http://0.0.0.0/file", "forbidden_address"],
    ["file:///etc/hosts", "forbidden_address"],
    ["data:audio/wav;base64,AAAA", "forbidden_address"],
    ["http://", "unreachable"],
  ])("to %s", async (to, reason) => {
    const place = await open();
    await expect(place.refusal(redirect(to))).resolves.toBe(reason);
  });

  test("to nowhere", async () => {
    const place = await open();
    await expect(place.refusal((_, response) => response.writeHead(302).end())).resolves.toBe("unreachable");
  });
});

describe("what cannot be had", () => {
  test.each([
    [404, "not_found"],
    [410, "not_found"],
    [403, "not_found"],
    [500, "unreachable"],
    [503, "unreachable"],
    [204, "unreachable"],
  ])("status %i", async (status, reason) => {
    const place = await open();
    await expect(place.refusal((_, response) => response.writeHead(status).end())).resolves.toBe(reason);
  });

  test("a connection that breaks in the middle", async () => {
    const place = await open();
    const reason = await place.refusal((_, response) => {
      response.writeHead(200, { "Content-Length": file.length });
      response.write(file.subarray(0, 300), () => response.destroy());
    });
    expect(reason).toBe("unreachable");
  });

  test.each(["127.0.0.1", "localhost", "[::1]"])("a local address that is not allowed: %s", async (host) => {
    const place = await open({ allowLocalhost: false });
    const { port } = new URL(place.serve("file", file));
    await expect(place.refusal(`http://${host}:${port}/file`)).resolves.toBe("forbidden_address");
  });

  test.each(["not a URL", "ftp://127.0.0.1/file"])("%s", async (url) => {
    const place = await open();
    expect(["forbidden_address", "unreachable"]).toContain(await place.refusal(url));
  });

  test("too large, by what is announced", async () => {
    const place = await open({ maxBytes: 1000 });
    const reason = await place.refusal((_, response) => {
      // Not a byte of it is waited for.
      response.writeHead(200, { "Content-Length": 1001 }).flushHeaders();
    });
    expect(reason).toBe("too_large");
  });

  test("too large, by what comes", async () => {
    const place = await open({ maxBytes: 100_000 });
    const closed: Promise<unknown>[] = [];
    const reason = await place.refusal((_, response) => {
      closed.push(once(response, "close"));
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(16 * 1024)));
      };
      response.on("drain", more);
      more();
    });
    expect(reason).toBe("too_large");
    await Promise.all(closed);
  });

  test("exactly as large as is allowed", async () => {
    const place = await open({ maxBytes: file.length });
    await expect(place.play(file)).resolves.toHaveLength(800);
  });

  test("too slow, all hops together", async () => {
    const place = await open({ timeoutMs: 300 });
    place.serve("slow", (_, response) => {
      response.writeHead(200).write(file.subarray(0, 100));
    });
    await expect(place.refusal(redirect("/slow"))).resolves.toBe("timeout");
  });
});

describe("giving up", () => {
  test("ends the transfer and leaves nothing", async () => {
    const place = await open();
    const caller = new AbortController();
    const reason = new Error("the call has ended");
    const closed: Promise<unknown>[] = [];
    const url = place.serve("file", (_, response) => {
      closed.push(once(response, "close"));
      response.write(file.subarray(0, 100), () => caller.abort(reason));
    });
    await expect(place.files.share().open(url, caller.signal)).rejects.toBe(reason);
    await Promise.all(closed);
    await expect(place.files.share().open(url, caller.signal)).rejects.toBe(reason);
    expect(closed).toHaveLength(1);
  });

  test("ends the decoding", async () => {
    const place = await open();
    const caller = new AbortController();
    const url = place.serve("file", (_, response) => {
      response.end(wav(new Int16Array(10_000_000), 44_100), () => setImmediate(() => caller.abort()));
    });
    await expect(place.files.share().open(url, caller.signal)).rejects.toMatchObject({ name: "AbortError" });
    await expect(place.play(file)).resolves.toHaveLength(800);
  });

  test("the gateway closes", async () => {
    const place = await open();
    const arrived = new Promise<void>((resolve) => place.serve("file", () => resolve()));
    const opened = place.refusal(place.url("file"));
    await arrived;
    await place.files.close();
    await expect(opened).resolves.toBe("timeout");
  });
});

test("what a crashed run left is removed, and nothing else", async () => {
  const parent = await mkdtemp(path.join(tmpdir(), "voicegate-test-"));
  const living = await Place.open({ directory: parent });
  const [own] = await readdir(parent);
  const crashed: ChildProcess = fork(path.join(__dirname, "left-behind.js"), [parent, living.serve("left", file)]);
  await once(crashed, "message");
  const [left = ""] = (await readdir(parent)).filter((name) => name !== own);
  expect(await readdir(path.join(parent, left))).toHaveLength(1);
  crashed.kill("SIGKILL");
  await once(crashed, "exit");
  const next = await Place.open({ directory: parent });
  const found = await readdir(parent);
  expect(found).toHaveLength(2);
  expect(found).not.toContain(left);
  // Those of this process that live still work.
  await expect(living.play(file)).resolves.toHaveLength(800);
  await living.close();
  await next.close();
  await expect(readdir(parent)).resolves.toEqual([]);
  await rm(parent, { recursive: true });
});
