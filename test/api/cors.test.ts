/** Pages that call the API from a browser. */
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { afterEach, expect, test } from "@jest/globals";
import { credentials, type Place, startApi } from "./place";

let place: Place;
afterEach(() => place.close());

const page = "https://console.example.com";

/** Not by the client of the other tests: what is added for browsers is no matter of the document. */
async function send(method: string, path: string, headers: Readonly<Record<string, string>>) {
  const outgoing = request(place.url + path, { method, headers, agent: false });
  outgoing.end();
  const [incoming]: IncomingMessage[] = await once(outgoing, "response");
  if (!incoming) throw new Error("no response");
  incoming.resume();
  await once(incoming, "end");
  return { status: incoming.statusCode, headers: incoming.headers };
}

const list = "/api/v1/sessions";
const asking = { Origin: page, "Access-Control-Request-Method": "GET" };

test("off unless it is set: OPTIONS is a method like any other, and an origin changes nothing", async () => {
  place = await startApi();
  expect(await send("OPTIONS", list, asking)).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
  const { headers } = await send("GET", list, { ...credentials, Origin: page });
  expect(Object.keys(headers).filter((name) => /^access-|^vary/.test(name))).toEqual([]);
});

test("each answer to such a page says that it may be read, and what of its header", async () => {
  place = await startApi({ corsOrigins: ["https://other.example.com", page] });
  for (const [path, status] of [
    [list, 200],
    ["/nowhere", 404],
    ["/api/v1/sessions/nobody", 404],
  ] as const) {
    const answer = await send("GET", path, { ...credentials, Origin: page });
    expect(answer).toMatchObject({ status, headers: { "access-control-allow-origin": page, vary: "Origin" } });
    const exposed = answer.headers["access-control-expose-headers"]?.split(", ");
    expect(exposed).toEqual(expect.arrayContaining(["Content-Range", "RateLimit", "Retry-After", "X-Request-ID"]));
  }
});

test("a browser that asks first hears which methods and fields it may send, without a key", async () => {
  place = await startApi({ corsOrigins: [page] });
  const { status, headers } = await send("OPTIONS", "/admin/apps/a", asking);
  expect(status).toBe(204);
  expect(headers).toMatchObject({
    "access-control-allow-origin": page,
    "access-control-allow-methods": "DELETE, GET, HEAD, POST",
    "access-control-max-age": "600",
  });
  const fields = ["Content-Type", "Last-Event-ID", "Range", "X-API-Key", "X-Admin-API-Key", "X-App-ID"];
  expect(headers["access-control-allow-headers"]?.split(", ")).toEqual(expect.arrayContaining(fields));
  expect(headers).not.toHaveProperty("content-length");
});

test.each<[name: string, path: string, headers: Readonly<Record<string, string>>, status: number]>([
  ["of another page", list, { ...asking, Origin: "https://console.example.com.evil.example" }, 405],
  ["without a page", list, { "Access-Control-Request-Method": "GET" }, 405],
  ["that does not ask first", list, { Origin: page }, 405],
  ["about a path that is none", "/nowhere", asking, 404],
])("OPTIONS %s is answered as ever", async (_, path, headers, status) => {
  place = await startApi({ corsOrigins: [page] });
  const answer = await send("OPTIONS", path, headers);
  expect(answer.status).toBe(status);
  expect(answer.headers).not.toHaveProperty("access-control-allow-methods");
});
