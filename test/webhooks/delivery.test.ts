import { once } from "node:events";
import { afterEach, describe, expect, test } from "@jest/globals";
import { Webhook } from "standardwebhooks";
import type { WebhookOptions } from "../../src/webhooks/delivery";
import { newSecret } from "../../src/webhooks/signature";
import { type Arrival, Endpoint, Place } from "./place";

const places: Place[] = [];
afterEach(async () => {
  for (const place of places.splice(0)) await place.close();
});
function open(options: Partial<WebhookOptions> = {}): Place {
  const place = new Place(options);
  places.push(place);
  return place;
}
const status =
  (code: number, headers: Record<string, string> = {}) =>
  ({ response }: Arrival): void => {
    response.writeHead(code, headers).end();
  };
const failed = (line: { msg: string }): boolean => line.msg === "webhook failed";

/** Names in the order of their first arrival. */
const first = (endpoint: Endpoint, session: string): number[] => [
  ...new Set(endpoint.arrivals.filter(({ name }) => name.startsWith(`${session}:`)).map(({ sequence }) => sequence)),
];

test("an event arrives as it was stored, with headers that say what it is", async () => {
  const place = open();
  const endpoint = await place.endpoint();
  const secret = await place.app("acme", endpoint.url);
  await place.commit("acme", "call", 1);
  await endpoint.until(1);
  const [arrival] = endpoint.arrivals;
  expect(arrival?.body).toBe('{"event":"dtmf","session_uuid":"call","sequence":1,"data":{"digit":"ü"}}');
  expect(arrival?.headers).toMatchObject({
    "content-type": "application/json",
    "user-agent": "Voicegate",
    "webhook-id": expect.stringMatching(/^evt_/),
    "content-length": String(Buffer.byteLength(arrival?.body ?? "")),
  });
  const headers = Object.fromEntries(
    Object.entries(arrival?.headers ?? {}).map(([name, value]) => [name, String(value)]),
  );
  expect(new Webhook(secret).verify(arrival?.body ?? "", headers)).toEqual(JSON.parse(arrival?.body ?? ""));
  const line = await place.line(({ msg }) => msg === "webhook delivered");
  expect(line).toMatchObject({
    app_id: "acme",
    session_uuid: "call",
    event: "dtmf",
    sequence: 1,
    attempt: 1,
    status: 204,
  });
  expect(JSON.stringify(place.lines)).not.toContain(secret);
  expect(JSON.stringify(place.lines)).not.toContain("digit");
});

test("a session's events arrive in order, whatever the receiver does; sessions do not wait for each other", async () => {
  const place = open({ retrySeconds: 20 });
  const seen = new Map<string, number>();
  const endpoint = await place.endpoint((arrival) => {
    const tries = (seen.get(arrival.name) ?? 0) + 1;
    seen.set(arrival.name, tries);
    const { response, sequence } = arrival;
    if (tries > 1 || sequence % 4 === 0) response.writeHead(200).end("thanks");
    else if (sequence % 4 === 1) response.writeHead(500).end();
    else if (sequence % 4 === 2) response.destroy();
    else response.writeHead(302, { Location: "/elsewhere" }).end();
  });
  await place.app("acme", endpoint.url);
  const sessions = ["a", "b", "c", "d"];
  for (const session of sessions) await place.commit("acme", session, 6);
  for (const session of sessions) await place.commit("acme", session, 6);
  await endpoint.until(() => [...seen.values()].length === 48 && endpoint.arrivals.length === 84);
  for (const session of sessions) {
    expect(first(endpoint, session)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
    // Each attempt of an event comes before the first of the next.
    const of = endpoint.arrivals.filter(({ name }) => name.startsWith(`${session}:`)).map(({ sequence }) => sequence);
    expect(of).toEqual([...of].sort((one, other) => one - other));
  }
  expect(new Set(endpoint.arrivals.map(({ headers }) => headers["webhook-id"])).size).toBe(48);
});

test("what a lost wake-up would have told, the sweep finds", async () => {
  const place = open();
  const endpoint = await place.endpoint();
  await place.app("acme", endpoint.url);
  await place.commit("acme", "call", 3, false);
  await endpoint.until(3);
  expect(endpoint.names).toEqual(["call:1", "call:2", "call:3"]);
});

describe("an attempt that fails", () => {
  test("is repeated with the same id and body, signed anew; after eight the next event follows", async () => {
    const place = open();
    const endpoint = await place.endpoint((arrival) => status(arrival.sequence === 1 ? 500 : 204)(arrival));
    await place.app("acme", endpoint.url);
    await place.commit("acme", "call", 2);
    await endpoint.until(9);
    expect(endpoint.names).toEqual([...Array.from({ length: 8 }, () => "call:1"), "call:2"]);
    const [one, ...others] = endpoint.arrivals.slice(0, 8);
    for (const other of others) {
      expect(other.body).toBe(one?.body);
      expect(other.headers["webhook-id"]).toBe(one?.headers["webhook-id"]);
    }
    const verdicts = place.lines
      .filter(failed)
      .map(({ attempt, status: code, verdict }) => ({ attempt, code, verdict }));
    expect(verdicts).toHaveLength(8);
    expect(verdicts[7]).toEqual({ attempt: 8, code: 500, verdict: "dead" });
  });

  test("waits as long as the receiver asks, at most to the end", async () => {
    const place = open({ retrySeconds: 300 });
    const endpoint = await place.endpoint((arrival) => {
      status(503, { "Retry-After": arrival.name === "long:1" ? "86400" : "120" })(arrival);
    });
    await place.app("acme", endpoint.url);
    await place.commit("acme", "short", 1);
    await place.commit("acme", "long", 1);
    const short = await place.line((line) => failed(line) && line.session_uuid === "short");
    expect(short.retry_in_ms).toBe(120_000);
    const long = await place.line((line) => failed(line) && line.session_uuid === "long");
    expect(long.retry_in_ms).toBeGreaterThan(200_000);
    expect(long.retry_in_ms).toBeLessThanOrEqual(300_000);
  });

  test("a redirect is not followed", async () => {
    const place = open();
    const target = await place.endpoint();
    const endpoint = await place.endpoint((arrival) => {
      if (endpoint.arrivals.length === 1) status(307, { Location: target.url })(arrival);
      else status(204)(arrival);
    });
    await place.app("acme", endpoint.url);
    await place.commit("acme", "call", 2);
    await endpoint.until(3);
    expect(endpoint.names).toEqual(["call:1", "call:1", "call:2"]);
    expect(target.arrivals).toHaveLength(0);
  });

  test("nobody listens, until somebody does", async () => {
    const place = open({ retrySeconds: 30 });
    const before = await new Endpoint().listen();
    const { url, port } = before;
    await before.close();
    await place.app("acme", url);
    await place.commit("acme", "call", 2);
    expect(await place.line(failed)).toMatchObject({ failure: "unreachable", code: "ECONNREFUSED" });
    const endpoint = await place.endpoint();
    await endpoint.close();
    await endpoint.listen(port);
    await endpoint.until(2);
    expect(endpoint.names).toEqual(["call:1", "call:2"]);
  });

  test.each(["localhost", "127.0.0.1", "[::1]", "[::ffff:7f00:1]"])("to a private address: %s", async (host) => {
    const place = open({ allowLocalhost: false });
    const endpoint = await place.endpoint();
    await place.app("acme", `http://${host}:${endpoint.port}/hook`);
    await place.commit("acme", "call", 1);
    expect(await place.line(failed)).toMatchObject({ failure: "forbidden_address" });
    expect(endpoint.arrivals).toHaveLength(0);
  });
});

describe("410", () => {
  test("turns the webhooks off until the app is put again", async () => {
    const place = open();
    const endpoint = await place.endpoint(status(410));
    await place.app("acme", endpoint.url);
    await place.commit("acme", "call", 3);
    const gone = await place.line(failed);
    expect(gone).toMatchObject({ status: 410, verdict: "disable" });
    // The rest goes without an attempt: the queue is empty without one.
    await place.emptied();
    expect((await place.shown("acme"))?.webhook_disabled_at).toEqual(expect.any(Number));
    expect(endpoint.names).toEqual(["call:1"]);

    endpoint.answer = status(204);
    await place.app("acme", endpoint.url);
    expect((await place.shown("acme"))?.webhook_disabled_at).toBeNull();
    await place.commit("acme", "call", 1);
    await endpoint.until(2);
    expect(endpoint.names).toEqual(["call:1", "call:4"]);
  });
});

describe("an answer", () => {
  test("without end is cut off, and its status counts", async () => {
    const place = open();
    const closed: Promise<unknown>[] = [];
    const endpoint = await place.endpoint((arrival) => {
      const { response } = arrival;
      if (arrival.sequence > 1) return status(204)(arrival);
      closed.push(once(response, "close"));
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(16 * 1024)));
      };
      response.on("drain", more);
      more();
    });
    await place.app("acme", endpoint.url);
    await place.commit("acme", "call", 2);
    await endpoint.until(2);
    await Promise.all(closed);
    expect(endpoint.names).toEqual(["call:1", "call:2"]);
    expect(place.lines.filter(failed)).toEqual([]);
  });

  test("that does not come is not waited for longer than five seconds, and keeps nobody else waiting", async () => {
    const place = open({ retrySeconds: 60 });
    let healed = false;
    const hanging = await place.endpoint((arrival) => {
      if (healed) status(204)(arrival);
    });
    const sound = await place.endpoint();
    await place.app("hanging", hanging.url);
    await place.app("sound", sound.url);
    for (let session = 0; session < 100; session++) await place.commit("hanging", `hanging ${session}`, 1);
    await hanging.until(64);
    for (let session = 0; session < 10; session++) await place.commit("sound", `sound ${session}`, 10);
    await sound.until(100);
    // Bounded, and none has ended: all of the others' came meanwhile.
    expect(hanging.arrivals).toHaveLength(64);
    expect(place.lines.filter(failed)).toEqual([]);
    healed = true;
    expect(await place.line(failed)).toMatchObject({ app_id: "hanging", failure: "timeout", code: null });
    await hanging.until((arrivals) => new Set(arrivals.map(({ name }) => name)).size === 100);
  });
});

test("for a day after a rotation the old secret verifies as well", async () => {
  const place = open();
  const endpoint = await place.endpoint();
  const old = await place.app("acme", endpoint.url);
  const fresh = newSecret();
  await place.store.rotateSecret("acme", fresh, 60_000);
  await place.commit("acme", "call", 1);
  await endpoint.until(1);
  const [{ headers, body }] = endpoint.arrivals as [Arrival];
  const sent = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
  expect(sent["webhook-signature"]?.split(" ")).toHaveLength(2);
  for (const secret of [fresh, old]) expect(() => new Webhook(secret).verify(body, sent)).not.toThrow();
  expect(() => new Webhook(newSecret()).verify(body, sent)).toThrow();
});
