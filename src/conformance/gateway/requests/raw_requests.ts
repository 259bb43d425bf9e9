/**
 * Requests that no HTTP client would send, byte for byte, and what each is answered. After each the gateway closes the
 * connection, because it was asked to or because it cannot know where the next request begins.
 */
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";

/** A head up to its end; each field is a line. */
export type HeadOf = (line: string, ...fields: string[]) => string;

/** @param host of the gateway, as clients name it */
export const headFor =
  (host: string): HeadOf =>
  (line, ...fields) =>
    [line, `Host: ${host}`, ...fields, "", ""].join("\r\n");

export const json = "Content-Type: application/json";
const closing = "Connection: close";
const chunked = "Transfer-Encoding: chunked";

const bad = "400 Bad request";
const large = "431 Request header fields too large";
const upgrade = "400 Upgrade not supported";
/** As far as it goes: whatever the body of a success says. */
const ok = "200 ";

/** A body so deep. */
const nested = (depth: number) => `{"dids":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;

const invalid = "400 Invalid request body";
const tooLarge = "413 Request body too large";
const type = "415 Content-Type must be application/json";

/** `bytes`: made when they are needed, where that is work. `answer`: status and message of the envelope. */
export type RawCase = readonly [name: string, bytes: string | Buffer | (() => Buffer), answer: string];

/**
 * @param head of any request
 * @param putApp of a request that reads a JSON body of up to 1 MiB, and makes an app of `{}`
 */
export function rawCases(head: HeadOf, putApp: (...fields: string[]) => string) {
  const live = (...fields: string[]) => head("GET /live HTTP/1.1", ...fields);
  const put = (...fields: string[]) => putApp(closing, ...fields);
  const withBody = (body: Buffer, ...fields: string[]) =>
    Buffer.concat([Buffer.from(put(`Content-Length: ${body.length}`, ...fields)), body]);

  const requestLines: readonly RawCase[] = [
    ["a TLS hello", Buffer.from("160301020001000001fc0303", "hex"), bad],
    ["no HTTP at all", "GARBAGE\r\n\r\n", bad],
    ["a method in lower case", head("get /live HTTP/1.1"), bad],
    ["an unknown method", head("DANCE /live HTTP/1.1"), bad],
    ["no version", head("GET /live"), bad],
    ["HTTP/0.9", "GET /live\r\n\r\n", bad],
    ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", bad],
    ["HTTP/2.0 in words", head("GET /live HTTP/2.0"), bad],
    ["HTTP/9.9", head("GET /live HTTP/9.9"), bad],
    ["a space in the target", head("GET /li ve HTTP/1.1"), bad],
    ["no target", head("GET HTTP/1.1"), bad],
    ["a relative target", head("GET live HTTP/1.1"), bad],
    ["a null byte in the target", head("GET /li\0ve HTTP/1.1"), bad],
    ["a byte beyond ASCII in the target", Buffer.from(head("GET /l\u00efve HTTP/1.1"), "latin1"), bad],
    ["line feeds alone", `GET /live HTTP/1.1\nHost: gateway\n${closing}\n\n`, bad],
    ["percent and no digits", head("GET /live%zz HTTP/1.1", closing), bad],
    ["percent-encoding that is no UTF-8", head("GET /%ff HTTP/1.1", closing), bad],
    ["empty lines before the request", `\r\n\r\n${live(closing)}`, ok],
    ["the absolute form", head("GET http://gateway/live?x=1 HTTP/1.1", closing), ok],
    ["HTTP/1.0 without Host", "GET /live HTTP/1.0\r\n\r\n", ok],
    ["OPTIONS *", head("OPTIONS * HTTP/1.1", closing), "404 Not found"],
  ];

  const headers: readonly RawCase[] = [
    ["HTTP/1.1 without Host", `GET /live HTTP/1.1\r\n${closing}\r\n\r\n`, bad],
    ["a field without a colon", live("no colon"), bad],
    ["a space before the colon", live("X-A : 1"), bad],
    ["a bracket in a name", live("X(a): 1"), bad],
    ["a null byte in a value", live("X-A: a\0b"), bad],
    ["a folded line", live("X-A: a", "  b"), bad],
    ["a field of 17 KB", live(`X-A: ${"a".repeat(17_000)}`), large],
    ["a target of 20 KB", head(`GET /${"a".repeat(20_000)} HTTP/1.1`), large],
    ["300 fields", live(closing, ...Array.from({ length: 300 }, (_, i) => `X-${i}: 1`)), large],
    ["fields without an end", `GET /live HTTP/1.1\r\n${"X-A: aaaaaaaaaaaaaaaa\r\n".repeat(6000)}`, large],
    ["an unknown expectation", live("Expect: a-miracle", closing), "417 Expectation failed"],
    ["an upgrade to websocket", live("Connection: Upgrade", "Upgrade: websocket"), upgrade],
    ["an upgrade to h2c", live("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AA"), upgrade],
    ["CONNECT", head("CONNECT example.com:443 HTTP/1.1"), upgrade],
  ];

  const lengths: readonly RawCase[] = [
    ["a negative length", put("Content-Length: -1"), bad],
    ["a length in words", put("Content-Length: two"), bad],
    ["a length with a sign", put("Content-Length: +2"), bad],
    ["two lengths", put("Content-Length: 2", "Content-Length: 3"), bad],
    ["a list of lengths", put("Content-Length: 2, 2"), bad],
    ["a length beyond 64 bits", put("Content-Length: 99999999999999999999"), bad],
    ["a length of exabytes", put("Content-Length: 999999999999999999"), "413 Request body too large"],
    ["a length and chunks", put("Content-Length: 2", chunked), bad],
    ["an unknown transfer coding", put("Transfer-Encoding: magic"), bad],
    ["chunked, but not last", put("Transfer-Encoding: chunked, identity"), bad],
    ["a chunk without a size", `${put(chunked)}zz\r\n`, bad],
    ["a chunk that is longer than its size", `${put(chunked)}2\r\n{}{}`, bad],
    ["a chunk size beyond 64 bits", `${put(chunked)}fffffffffffffffff\r\n`, bad],
    ["chunk extensions without an end", `${put(chunked)}2;${"x".repeat(20_000)}\r\n{}\r\n0\r\n\r\n`, bad],
    ["trailers without an end", `${put(chunked)}2\r\n{}\r\n0\r\nX-A: ${"a".repeat(20_000)}\r\n\r\n`, large],
    ["chunks and trailers in order", `${put(chunked)}1\r\n{\r\n1\r\n}\r\n0\r\nX-A: 1\r\n\r\n`, ok],
  ];

  const bodies: readonly RawCase[] = [
    ["an array", withBody(Buffer.from("[1]")), invalid],
    ["a string", withBody(Buffer.from('"{}"')), invalid],
    ["half an object", withBody(Buffer.from('{"dids":')), invalid],
    ["bytes that are no UTF-8", withBody(Buffer.from('{"webhook_url":"\xff"}', "latin1")), invalid],
    [
      "UTF-8 that is cut off",
      withBody(Buffer.concat([Buffer.from('{"x":"'), Buffer.from([0xe2, 0x82, 0x22, 0x7d])])),
      invalid,
    ],
    ["a byte order mark", withBody(Buffer.from("\ufeff{}")), invalid],
    ["__proto__", withBody(Buffer.from('{"__proto__":{}}')), invalid],
    ["__proto__ deep down, in escapes", withBody(Buffer.from('{"dids":[{"\\u005f_proto__":1}]}')), invalid],
    [
      "constructor, which is a name like any other",
      withBody(Buffer.from('{"constructor":1}')),
      "400 Unknown field in request body",
    ],
    ["33 levels", withBody(Buffer.from(nested(33))), invalid],
    [
      "32 levels",
      withBody(Buffer.from(nested(32))),
      "400 dids must be an array of at most 1000 numbers, each exact or ending in *",
    ],
    ["200 000 levels", withBody(Buffer.from(nested(200_000))), invalid],
    ["gzip", withBody(gzipSync("{}"), "Content-Encoding: GZIP"), ok],
    ["deflate", withBody(deflateSync("{}"), "Content-Encoding: deflate"), ok],
    ["brotli", withBody(brotliCompressSync("{}"), "Content-Encoding: br"), ok],
    ["gzip that is none", withBody(Buffer.from("{}"), "Content-Encoding: gzip"), invalid],
    ["gzip that is cut off", withBody(gzipSync("{}").subarray(0, 12), "Content-Encoding: gzip"), invalid],
    ["a coding that nobody knows", withBody(Buffer.from("{}"), "Content-Encoding: magic"), invalid],
    ["a bomb", () => withBody(gzipSync(Buffer.alloc(64_000_000, " ")), "Content-Encoding: gzip"), tooLarge],
    ["a type that is none", withBody(Buffer.from("{}")).toString().replace(json, "Content-Type: json"), type],
    ["no type", withBody(Buffer.from("{}")).toString().replace(json, "X-A: 1"), type],
    ["text in chunks", `${put(chunked).replace(json, "Content-Type: text/plain")}1\r\na\r\n0\r\n\r\n`, type],
    ["no byte in chunks, of no type", `${put(chunked).replace(json, "X-A: 1")}0\r\n\r\n`, ok],
    [
      "a type behind a no-break space",
      withBody(Buffer.from("{}")).toString().replace(json, "Content-Type: \xa0application/json"),
      type,
    ],
    ["utf-16", withBody(Buffer.from("{}")).toString().replace(json, `${json}; charset=utf-16`), type],
    ["utf-8 by name", withBody(Buffer.from("{}")).toString().replace(json, `${json};Charset="UTF-8"; x=y`), ok],
  ];

  return { "request lines": requestLines, "header fields": headers, "lengths and chunks": lengths, bodies } as const;
}
