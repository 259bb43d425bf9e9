/** The shipped files: nothing is left to import, and nothing but what every web runtime has is made use of. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import vm from "node:vm";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { sign } from "../../src/webhooks/signature";
import { apiKey, TestGateway } from "../gateway";
import { type BuiltClient, buildClient } from "./built";

let built: BuiltClient;
let place: TestGateway;
/** A page at another origin than the gateway. */
let page: Server;
let origin: string;

beforeAll(async () => {
  built = await buildClient();
  page = createServer((request, response) => {
    const script = request.url === "/client.mjs";
    response.writeHead(200, { "Content-Type": script ? "text/javascript" : "text/html" });
    response.end(script ? readFileSync(built.esm) : "<!doctype html><title>An application</title>");
  }).listen(0, "127.0.0.1");
  await once(page, "listening");
  const address = page.address();
  if (address === null || typeof address === "string") throw new Error("a TCP server has a port");
  origin = `http://127.0.0.1:${address.port}`;
  place = await TestGateway.start({ env: { CORS_ORIGINS: origin } });
});

afterAll(async () => {
  page.close();
  page.closeAllConnections();
  await place.close();
  await built.remove();
});

test("both files import nothing", async () => {
  for (const file of [built.esm, built.cjs]) {
    const { metafile } = await build({
      entryPoints: [file],
      bundle: true,
      write: false,
      metafile: true,
      external: ["*"],
    });
    expect(Object.values(metafile.inputs).map(({ imports }) => imports)).toEqual([[]]);
  }
});

/** What a program does with it, as a script: answers a call, hears of it, verifies a webhook, is refused. */
const program = (uuid: string): string => {
  const body = JSON.stringify({ event: "dtmf", session_uuid: uuid, sequence: 9, data: { digit: "5" } });
  const seconds = Math.floor(Date.now() / 1000);
  const headers = {
    "webhook-id": "w",
    "webhook-timestamp": String(seconds),
    "webhook-signature": sign([place.receiver.secret], "w", seconds, body),
  };
  return `
    const client = createClient({ baseUrl: ${JSON.stringify(place.url)}, appId: "test", apiKey: ${JSON.stringify(apiKey)} });
    const uuid = ${JSON.stringify(uuid)};
    const { data, commandUid } = await client.answer({ uuid });
    const heard = [];
    for await (const event of client.events({ session_uuid: uuid, lastEventId: uuid + ".1" })) {
      heard.push(event.event);
      if (heard.length === 2) break;
    }
    const event = await verifyWebhook(${JSON.stringify(headers)}, ${JSON.stringify(body)}, ${JSON.stringify(place.receiver.secret)});
    const { error } = await client.getSession({ uuid: "nobody" });
    return { status: data.status, uid: commandUid.length, heard, digit: event.data.digit, code: error.code, named: error.requestId !== null };`;
};

const done = {
  status: "in_progress",
  uid: 32,
  heard: ["call.answered", "command.result"],
  digit: "5",
  code: "session_not_found",
  named: true,
};

async function ringing(): Promise<string> {
  const uuid = await place.call();
  await place.receiver.event("call.new", uuid);
  return uuid;
}

test("runs where there is nothing but web globals", async () => {
  const { AbortController, AbortSignal, atob, clearTimeout, crypto, fetch, FormData, Headers } = globalThis;
  const { Request, Response, setTimeout, TextDecoder, TextEncoder, URL, URLSearchParams } = globalThis;
  const web = { AbortController, AbortSignal, atob, clearTimeout, crypto, fetch, FormData, Headers };
  const more = { Request, Response, setTimeout, TextDecoder, TextEncoder, URL, URLSearchParams };
  const context = vm.createContext({ ...web, ...more, module: { exports: {} } });
  vm.runInContext(readFileSync(built.cjs, "utf8"), context);
  const load = "const { createClient, verifyWebhook } = module.exports;";
  const script = `(async () => {${load}${program(await ringing())}})()`;
  expect(JSON.parse(JSON.stringify(await vm.runInContext(script, context)))).toEqual(done);
});

test("runs in a page of another origin", async () => {
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  try {
    const tab = await browser.newPage();
    await tab.goto(origin);
    const load = `const { createClient, verifyWebhook } = await import("/client.mjs");`;
    expect(await tab.evaluate(`(async () => {${load}${program(await ringing())}})()`)).toEqual(done);
  } finally {
    await browser.close();
  }
}, 60_000);
