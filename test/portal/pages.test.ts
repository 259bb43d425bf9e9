/** Every page is there, every link leads somewhere, and every answer is small and safe. */
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { errors, eventSources, operations } from "../../generated/operations";
import { acceptedEncoding, matches } from "../../src/portal/encoding";
import { Portal } from "../../src/portal/portal";
import { TestGateway } from "../gateway";
import { get, Site } from "./site";

let place: TestGateway;
let site: Site;

beforeAll(async () => {
  place = await TestGateway.start({ env: { EMBEDDED_ENGINE: "false" }, app: null });
  site = await Site.walk(place);
});
afterAll(() => place.close());

test("each operation, error and event has its page, and the first page leads to all that is built", () => {
  const wanted = [
    ...Object.keys(operations).map((id) => `/docs/operations/${id}`),
    ...Object.keys(errors).map((code) => `/docs/errors/${code}`),
    ...Object.keys(eventSources).map((name) => `/docs/events/${name}`),
  ];
  expect(wanted.filter((path) => !site.has(path))).toEqual([]);
  const built = Portal.built().paths.map((path) => `/docs${path}`);
  expect(built.filter((path) => !site.has(path))).toEqual([]);
});

test("every link leads to something, also within its page", () => {
  expect(site.links.size).toBeGreaterThan(900);
  expect(site.dangling).toEqual([]);
  const own = Object.values(operations).map(({ path }): string => path);
  expect([...site.beyond].filter((link) => !own.includes(link))).toEqual(["https://www.standardwebhooks.com"]);
});

test("nothing in a page is from elsewhere, inline or a style of its own", () => {
  const loaded =
    / (?:src|data-search)="(?!\/docs\/assets\/)|<link [^>]*href="(?!\/docs\/assets\/)|<style|<script(?! (?:type="module" )?src=)| style="| on\w+="/;
  expect([...site.pages].filter(([, text]) => loaded.test(text)).map(([path]) => path)).toEqual([]);
});

describe("negotiation", () => {
  const one = "/docs/errors/session_not_found";

  test("the same bytes by brotli, by gzip and as they are", async () => {
    const portal = Portal.built();
    const bytes = (accept: string) => portal.find("/errors/session_not_found", accept)?.bytes ?? Buffer.alloc(0);
    const plain = bytes("identity").toString("utf8");
    expect(plain).toContain("Session not found");
    expect(brotliDecompressSync(bytes("br")).toString("utf8")).toBe(plain);
    expect(gunzipSync(bytes("gzip")).toString("utf8")).toBe(plain);
    for (const [accept, encoding] of [
      ["br, gzip", "br"],
      ["gzip", "gzip"],
      ["", undefined],
    ] as const) {
      const { headers } = await get(place, one, accept === "" ? {} : { "Accept-Encoding": accept });
      expect(headers["content-encoding"]).toBe(encoding);
    }
  });

  test.each([
    [undefined, "identity"],
    ["", "identity"],
    ["*", "br"],
    ["gzip;q=1.0, br;q=0.5", "gzip"],
    ["gzip, br", "br"],
    ["br;q=0, *;q=0.1", "gzip"],
    ["GZIP", "gzip"],
    ["identity;q=1, gzip;q=0.5", "identity"],
    ["br;q=high", "identity"],
    ["*;q=0", "identity"],
    ["deflate, zstd", "identity"],
  ] as const)("%s: %s", (header, encoding) => {
    expect(acceptedEncoding(header)).toBe(encoding);
  });

  test("who has the page is told so, in any form of the header", async () => {
    const { headers } = await get(place, one, { "Accept-Encoding": "br" });
    const etag = String(headers.etag);
    for (const known of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
      const again = await get(place, one, { "Accept-Encoding": "br", "If-None-Match": known });
      expect({ status: again.status, text: again.text, etag: again.headers.etag }).toEqual({
        status: 304,
        text: "",
        etag,
      });
    }
    // In another encoding it is another one.
    expect((await get(place, one, { "If-None-Match": etag })).status).toBe(200);
    expect(matches('"a", "b"', '"c"')).toBe(false);
  });

  test("HEAD answers as GET, without the body", async () => {
    const { status, text, headers } = await place.client.request({ method: "HEAD", path: "/docs" });
    expect({ status, text, length: Number(headers["content-length"]) > 1000 }).toEqual({
      status: 200,
      text: "",
      length: true,
    });
  });
});

test("files keep for ever, pages are asked for again", async () => {
  const [asset] = Portal.built().paths.filter((path) => path.startsWith("/assets/style"));
  expect((await get(place, `/docs${asset}`)).headers).toMatchObject({
    "content-type": "text/css; charset=utf-8",
    "cache-control": "public, max-age=31536000, immutable",
    "x-content-type-options": "nosniff",
  });
  expect((await get(place, "/docs")).headers).toMatchObject({
    "cache-control": "no-cache",
    "referrer-policy": "no-referrer",
  });
});

test("other names lead nowhere, whatever they look like", async () => {
  for (const path of ["/docs/assets/..%2fportal.json", "/docs/errors/constructor", "/docs/__proto__"])
    expect((await get(place, path)).body).toMatchObject({ code: "page_not_found" });
});
