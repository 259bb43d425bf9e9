/** The proxy of the faults changes nothing by itself: the same bytes get the same answers with it and without it. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Fault } from "../../../scripts/faults/fault";
import { faults, matrix } from "../../../scripts/faults/index";
import { matrixNames } from "../../../scripts/faults/matrix";
import { GatewayProxy } from "../../../scripts/faults/proxy";
import { Client } from "../../api/client";
import { type Place, startApi } from "../../api/place";
import { head, json, live, putApp } from "../../api/requests";
import { Wire } from "../../api/wire";
import { adminKey, TestGateway } from "../../gateway";

/** Sees everything and changes nothing: each message is held, and sent on as it came. */
const watching: Fault = {
  name: "watching",
  about: "sees everything",
  clause: "",
  start: () => ({ exchange: (request, next) => next(request), frame: (frame) => [frame] }),
};

let place: Place;
const proxies = { passing: new GatewayProxy(null), watching: new GatewayProxy(watching) };
beforeAll(async () => {
  place = await startApi({ timeouts: { headersMs: 600, requestMs: 800, checkMs: 50, lingerMs: 200 } });
  for (const proxy of Object.values(proxies)) {
    await proxy.listen();
    proxy.gateway = place.url;
  }
});
afterAll(async () => {
  for (const proxy of Object.values(proxies)) await proxy.close();
  await place.close();
});

const closing = "Connection: close";
const chunked = "Transfer-Encoding: chunked";
const body = (text: string, ...fields: string[]) =>
  `${putApp(closing, `Content-Length: ${Buffer.byteLength(text)}`, ...fields)}${text}`;

const cases: readonly (readonly [string, string])[] = [
  ["no HTTP at all", "GARBAGE\r\n\r\n"],
  ["line feeds alone", `GET /live HTTP/1.1\nHost: gateway\n${closing}\n\n`],
  ["empty lines before the request", `\r\n\r\n${live(closing)}`],
  ["the absolute form", head("GET http://gateway/live?x=1 HTTP/1.1", closing)],
  ["HTTP/1.0", "GET /live HTTP/1.0\r\n\r\n"],
  ["a folded line", live("X-A: a", "  b")],
  ["300 fields", live(closing, ...Array.from({ length: 300 }, (_, i) => `X-${i}: 1`))],
  ["fields without an end", `GET /live HTTP/1.1\r\n${"X-A: aaaaaaaaaaaaaaaa\r\n".repeat(6000)}`],
  ["half a head", "GET /live HTTP/1.1\r\nHost: gate"],
  ["half a body", `${putApp("Content-Length: 10")}{"did`],
  ["an unknown expectation", live("Expect: a-miracle", closing)],
  ["an upgrade", live("Connection: Upgrade", "Upgrade: websocket")],
  ["two lengths", putApp("Content-Length: 2", "Content-Length: 3")],
  ["a length and chunks", putApp("Content-Length: 2", chunked)],
  ["a length of exabytes", putApp(closing, "Content-Length: 999999999999999999")],
  ["a chunk without a size", `${putApp(chunked)}zz\r\n`],
  ["a chunk that is longer than its size", `${putApp(chunked)}2\r\n{}{}`],
  ["chunks and trailers in order", `${putApp(closing, chunked)}1\r\n{\r\n1\r\n}\r\n0\r\nX-A: 1\r\n\r\n`],
  ["a body", body('{"dids":[]}')],
  ["a body that is no JSON", body("nothing")],
  ["a body of another type", body("{}").replace(json, "Content-Type: text/plain")],
  ["Expect: 100-continue", body("{}", "Expect: 100-continue")],
  ["HEAD", head("HEAD /live HTTP/1.1", closing)],
  ["requests at once", live() + head("HEAD /health HTTP/1.1") + head("GET /nowhere HTTP/1.1") + live(closing)],
];

/** Everything that comes back; what differs each time is left out. */
async function conversation(port: number, bytes: string): Promise<string> {
  const wire = await Wire.open(port);
  const came: Buffer[] = [];
  wire.socket.on("data", (piece: Buffer) => came.push(piece));
  const over = new Promise<void>((resolve) => wire.socket.once("close", () => resolve()));
  wire.socket.once("end", () => wire.socket.end());
  wire.write(bytes);
  await over;
  const text = Buffer.concat(came).toString("latin1");
  return text
    .replaceAll(/^(Date|X-Request-ID|RateLimit): .*$/gm, "$1")
    .replaceAll(/"created_at":"[^"]+"/g, '"created_at"');
}

describe.each(["passing", "watching"] as const)("%s", (kind) => {
  test.each(cases)("%s", async (_, bytes) => {
    const proxied = conversation(Number(new URL(proxies[kind].url).port), bytes);
    expect(await proxied).toBe(await conversation(place.port, bytes));
  });
});

test("a webhook comes as it was sent, and the app shows the address that it was given", async () => {
  const gateway = await TestGateway.start({ app: null });
  const proxy = new GatewayProxy(null);
  try {
    await proxy.listen();
    proxy.gateway = gateway.url;
    const client = new Client(proxy.url);
    const webhook_url = gateway.receiver.url;
    const admin = { "X-Admin-API-Key": adminKey };
    const asked = { method: "POST", path: "/admin/apps/proxied", headers: admin, body: { webhook_url, dids: ["*"] } };
    const { text } = await client.request(asked);
    const app: unknown = JSON.parse(text);
    expect(app).toMatchObject({ webhook_url, webhook_secret: expect.stringMatching(/^whsec_/) });
    gateway.receiver.secret = proxy.secrets("proxied")[0] ?? "";
    const source = await gateway.call();
    expect((await gateway.receiver.event("call.new", source)).data).toMatchObject({ did: "100" });
    expect(gateway.receiver.forged).toEqual([]);
  } finally {
    await gateway.close();
    await proxy.close();
  }
});

test("each fault has a name of its own, and the matrix has faults of all themes", () => {
  expect(new Set(faults.map(({ name }) => name)).size).toBe(faults.length);
  const themes = (of: readonly Fault[]) => new Set(of.map(({ name }) => name.split("/")[0]));
  expect(themes(matrix)).toEqual(themes(faults));
  expect(matrix.map(({ name }) => name).sort()).toEqual([...matrixNames].sort());
  expect(matrix.length).toBeGreaterThanOrEqual(75);
});
