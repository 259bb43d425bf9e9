/** One reader of the live events: silence, haste, and how it ends. */
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { EventStream } from "../../src/handlers/event_stream";
import { MemoryStore } from "../../src/store/memory";
import { ringing } from "./place";
import { Teller } from "./teller";

const app = { webhook_url: "", rate_limit: 0, events: [], dids: [] };
const slow = ": cut off, because events were not read as fast as they came\n\n";
const missed = ": cut off, because events were forgotten before they were read\n\n";

let store: MemoryStore;
let call: Teller;
let now = 1_000_000;
/** Retention of the store below. */
const retentionMs = 60_000;
beforeEach(async () => {
  store = new MemoryStore({ now: () => now, eventRetentionMs: retentionMs });
  await putApp("a");
  call = await Teller.ofSession(store, ringing("a", now));
});
afterEach(() => store.close());

async function putApp(app_id: string): Promise<void> {
  await store.putApp({ settings: { app_id, ...app }, digest: null, created: { digest: "", secret: String(now) } });
}

let over: Promise<void>;
interface Opening {
  readonly heartbeatMs?: number;
  readonly slowMs?: number;
  readonly session_uuid?: string;
  /** Webhook id. */
  readonly after?: string;
}

async function open(options: Opening = {}) {
  const found = await store.app("a");
  if (!found) throw new Error("no app");
  const { position, known } = await store.feedPosition("a", options.after ?? null);
  const { heartbeatMs = 3_600_000, slowMs = 3_600_000, session_uuid } = options;
  return new Promise<EventStream>((resolve) => {
    over = new Promise((closed) => {
      resolve(new EventStream({ store, app: found, position, known, session_uuid, heartbeatMs, slowMs, closed }));
    });
  });
}

async function begun(stream: EventStream): Promise<EventStream> {
  expect((await stream.next()).value).toBe("retry: 1000\n\n");
  return stream;
}

const finished = { done: true, value: undefined };

describe("silence", () => {
  test("is broken by a comment", async () => {
    const stream = await begun(await open({ heartbeatMs: 20 }));
    expect((await stream.next()).value).toBe(":\n\n");
    expect((await stream.next()).value).toBe(":\n\n");
    await stream.return();
  });

  test("also where only other calls speak, without end", async () => {
    const stream = await begun(await open({ heartbeatMs: 50, session_uuid: "somebody else" }));
    let speaks = true;
    const speaking = (async () => {
      while (speaks) {
        await call.tell(["dtmf"]);
        await new Promise(setImmediate);
      }
    })();
    expect((await stream.next()).value).toBe(":\n\n");
    speaks = false;
    await speaking;
    await stream.return();
  });
});

describe("a reader who is slow", () => {
  test("by taking too long for what he was given, hears so, and that is the end", async () => {
    const stream = await begun(await open({ slowMs: 0 }));
    await call.tell(["call.new"]);
    expect(await stream.next()).toEqual({ done: false, value: slow });
    expect(await stream.next()).toEqual(finished);
    await over;
  });

  test("or quick, but not as quick as events were forgotten, hears that, and that is the end", async () => {
    const stream = await begun(await open());
    await call.tell(["call.new"]);
    now += retentionMs + 1;
    await call.tell(["dtmf"]);
    expect(await stream.next()).toEqual({ done: false, value: missed });
    expect(await stream.next()).toEqual(finished);
    await over;
  });
});

describe("it ends", () => {
  test("at once for a reader who leaves, also while it waits", async () => {
    const stream = await begun(await open());
    const next = stream.next();
    expect(await stream.return()).toEqual(finished);
    expect(await next).toEqual(finished);
    await over;
    expect(await stream.next()).toEqual(finished);
  });

  test("with its app, also when that has been made anew meanwhile: what the new one has is not told", async () => {
    const stream = await begun(await open());
    await store.closeApp({ app_id: "a", nonce: "n", keep_ms: 0 });
    now += 1;
    await putApp("a");
    const other = await Teller.ofSession(store, ringing("a", now));
    await other.tell(["call.new"]);
    expect(await stream.next()).toEqual(finished);
    await over;
  });

  test("when the store cannot be asked", async () => {
    const stream = await begun(await open());
    store.feed = () => Promise.reject(new Error("away"));
    await expect(stream.next()).rejects.toThrow("away");
    await over;
    expect(await stream.next()).toEqual(finished);
  });
});

test("a long past that is not wanted is passed page by page, and others have their turn in between", async () => {
  const [first = ""] = await call.tell(["call.new"]);
  for (let i = 0; i < 20; i += 1) await call.tell(Array(100).fill("dtmf"));
  const other = await Teller.ofSession(store, { ...ringing("a", now), session_uuid: "node1-other" });
  await other.tell(["call.hangup"]);
  const stream = await begun(await open({ session_uuid: "node1-other", after: first }));
  let turns = 0;
  let counts = true;
  const count = () => {
    turns += 1;
    if (counts) setImmediate(count);
  };
  setImmediate(count);
  expect((await stream.next()).value).toContain("event: call.hangup\n");
  counts = false;
  expect(turns).toBeGreaterThanOrEqual(10);
  await stream.return();
});

test("what is large comes in parts, what is small together", async () => {
  const stream = await begun(await open());
  await call.tell(Array(200).fill("dtmf"));
  let text = "";
  let parts = 0;
  while (!text.includes('"sequence":200,')) {
    const { value = "" } = await stream.next();
    expect(value.length).toBeLessThan(17_000);
    text += value;
    parts += 1;
  }
  expect(text.match(/^id: /gm)?.length).toBe(200);
  expect(parts).toBeLessThan(10);
  await stream.return();
});
