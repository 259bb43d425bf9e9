/** What happens on a connection over time: pipelines, half-closed sockets, uploads, `Expect`. */
import { gzipSync } from "node:zlib";
import { Broken, type Check } from "../../check";
import { json } from "../requests/raw_requests";
import { nobody } from "../requests/requests";
import { absentApp, headersOf } from "../requests/states";
import type { World } from "../world";
import { headOf } from "./raw";
import { expectAnswer, list, live, put, talk } from "./talk";
import { expectations, uploads } from "./uploads";

const closing = "Connection: close";

const pipelines: readonly Check<World>[] = [
  talk("in-order", "Fifty requests in one packet are answered in their order", async (world, wire) => {
    wire.write(Array.from({ length: 50 }, (_, n) => live(world, `X-Request-ID: r${n}`)).join(""));
    for (let n = 0; n < 50; n += 1) {
      const { headers, exchange } = await wire.answer("GET", "/live");
      if (headers["x-request-id"] !== `r${n}`)
        throw new Broken({
          expected: `the answer to r${n}`,
          got: String(headers["x-request-id"]),
          exchanges: [exchange],
        });
    }
  }),
  talk("slow-first", "A quick request does not overtake a slow one before it", async (world, wire) => {
    const body = gzipSync("{}");
    wire.write(put(world, `Content-Length: ${body.length}`, "Content-Encoding: gzip"));
    wire.write(body);
    wire.write(live(world) + headOf(world)("GET /nowhere HTTP/1.1"));
    expectAnswer(await wire.answer("POST", `/admin/apps/x`), "200");
    expectAnswer(await wire.answer("GET", "/live"), "200");
    expectAnswer(await wire.answer("GET", "/nowhere"), "404 Not found");
  }),
  talk("broken-last", "What comes before a broken request is answered before it", async (world, wire) => {
    wire.write(`${put(world, "Content-Length: 2")}{}${live(world)}GARBAGE\r\n\r\n`);
    expectAnswer(await wire.answer("POST", "/admin/apps/x"), "200");
    expectAnswer(await wire.answer("GET", "/live"), "200");
    expectAnswer(await wire.answer(), "400 Bad request");
    await wire.closed();
  }),
  talk(
    "nothing-after-the-last",
    "Nothing is done after the answer that the client said is the last",
    async (world, wire) => {
      const late = headOf(world)(
        `POST /admin/apps/${absentApp(world)}-late HTTP/1.1`,
        `X-Admin-API-Key: ${world.admin["X-Admin-API-Key"]}`,
        json,
        "Content-Length: 2",
      );
      wire.write(`${live(world, closing)}${late}{}`);
      const answer = await wire.answer("GET", "/live");
      if (answer.headers.connection !== "close")
        throw new Broken({
          expected: "Connection: close",
          got: String(answer.headers.connection),
          exchanges: [answer.exchange],
        });
      await wire.closed();
      const path = `/admin/apps/${absentApp(world)}-late`;
      const made = await world.request({ method: "GET", path, headers: world.admin });
      if (made.status === 404) return;
      await world.request({ method: "DELETE", path, headers: world.admin });
      throw new Broken({
        expected: "404: nothing was made",
        got: String(made.status),
        exchanges: [answer.exchange, made.exchange],
      });
    },
  ),
  talk("kept", "A connection is kept after refusals whose request has come to its end", async (world, wire) => {
    const requests: readonly (readonly [bytes: string, method: string, path: string, answer: string])[] = [
      [headOf(world)("GET /nowhere HTTP/1.1"), "GET", "/nowhere", "404 Not found"],
      [headOf(world)("DELETE /live HTTP/1.1"), "DELETE", "/live", "405 Method not allowed"],
      [`${headOf(world)("POST /nowhere HTTP/1.1", "Content-Length: 5")}GET /`, "POST", "/nowhere", "404 Not found"],
      [headOf(world)("GET /api/v1/sessions HTTP/1.1"), "GET", "/api/v1/sessions", "400 Missing X-App-ID header"],
      [
        `${await list(world, null, json, "Content-Length: 3")}[1]`,
        "POST",
        "/api/v1/conferences",
        "400 Invalid request body",
      ],
      [
        `${await list(world, null, "Content-Length: 2")}{}`,
        "POST",
        "/api/v1/conferences",
        "415 Content-Type must be application/json",
      ],
      [live(world), "GET", "/live", "200"],
    ];
    for (const [bytes, method, path, answer] of requests) {
      wire.write(bytes);
      expectAnswer(await wire.answer(method, path), answer);
    }
  }),
];

const halves: readonly Check<World>[] = [
  talk("half-closed", "Who has sent everything and closes his side gets his answers", async (world, wire) => {
    wire.write(live(world) + headOf(world)("GET /nowhere HTTP/1.1"));
    wire.halfClose();
    expectAnswer(await wire.answer("GET", "/live"), "200");
    expectAnswer(await wire.answer("GET", "/nowhere"), "404 Not found");
    await wire.closed();
  }),
  talk("half-a-head", "Half a head and no more is a bad request", async (_, wire) => {
    wire.write("GET /live HTTP/1.1\r\nHost");
    wire.halfClose();
    expectAnswer(await wire.answer(), "400 Bad request");
    await wire.closed();
  }),
  talk("half-a-body", "Half a body and no more is a bad request", async (world, wire) => {
    wire.write(`${put(world, "Content-Length: 9")}{`);
    wire.halfClose();
    expectAnswer(await wire.answer("POST", "/admin/apps/x"), "400 Bad request");
    await wire.closed();
  }),
  talk("half-a-chunk", "Half a chunk and no more is a bad request", async (world, wire) => {
    wire.write(`${put(world, "Transfer-Encoding: chunked")}9\r\n{`);
    wire.halfClose();
    expectAnswer(await wire.answer("POST", "/admin/apps/x"), "400 Bad request");
    await wire.closed();
  }),
  talk("nothing", "Nothing is answered with nothing", async (_, wire) => {
    wire.halfClose();
    await wire.closed();
  }),
  talk("bytes-apart", "A request may come in pieces", async (world, wire) => {
    const bytes = `${put(world, "Content-Length: 2", closing)}{}`;
    for (const piece of [bytes.slice(0, 7), bytes.slice(7, 40), bytes.slice(40, -2), "{", "}"]) {
      wire.write(piece);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    expectAnswer(await wire.answer("POST", "/admin/apps/x"), "200");
    await wire.closed();
  }),
];

const heads: readonly Check<World>[] = [
  talk("head", "HEAD has no byte of a body, whatever the answer is", async (world, wire) => {
    for (const path of ["/live", "/openapi.json", "/nowhere", "/api/v1/sessions", "/samples/tone.wav"]) {
      wire.write(headOf(world)(`HEAD ${path} HTTP/1.1`));
      await wire.answer("HEAD", path);
    }
    wire.write(live(world, closing));
    expectAnswer(await wire.answer("GET", "/live"), "200");
    await wire.closed();
  }),
  talk(
    "field-names",
    "Names of header fields are taken in any case, and blanks around values are none",
    async (world, wire) => {
      const { "X-App-ID": app_id, "X-API-Key": key } = headersOf(await world.main());
      for (const fields of [
        [`x-app-id: ${app_id}`, `x-api-key: ${key}`],
        [`X-APP-ID: ${app_id}`, `X-API-KEY: ${key}`],
        [`X-App-ID:${app_id}`, `X-API-Key: \t${key}  `],
      ]) {
        wire.write(headOf(world)("GET /api/v1/sessions?limit=1 HTTP/1.1", ...fields));
        expectAnswer(await wire.answer("GET", "/api/v1/sessions?limit=1"), "200");
      }
    },
  ),
];

/** What one side reads as a body and the other as a request. */
const smuggled: readonly Check<World>[] = [
  talk("smuggled-after-both-lengths", "What follows a request of two lengths is no request", async (world, wire) => {
    wire.write(`${put(world, "Content-Length: 4", "Transfer-Encoding: chunked")}0\r\n\r\n${live(world)}`);
    expectAnswer(await wire.answer("POST", "/admin/apps/x"), "400 Bad request");
    await wire.closed();
  }),
  talk("body-that-looks-like-a-request", "A body that looks like a request is a body", async (world, wire) => {
    const inside = live(world, "X-Request-ID: smuggled");
    const session = `/api/v1/sessions/${nobody.uuid}/commands/dance`;
    const app = Object.entries(headersOf(await world.main())).map(([name, value]) => `${name}: ${value}`);
    wire.write(`${headOf(world)(`POST ${session} HTTP/1.1`, ...app, `Content-Length: ${inside.length}`)}${inside}`);
    wire.write(live(world, "X-Request-ID: next", closing));
    expectAnswer(await wire.answer("POST", session), "400 Invalid command");
    const next = await wire.answer("GET", "/live");
    if (next.headers["x-request-id"] !== "next")
      throw new Broken({
        expected: "the answer to the next request",
        got: String(next.headers["x-request-id"]),
        exchanges: [next.exchange],
      });
    await wire.closed();
  }),
];

export function talks(): Check<World>[] {
  return [...pipelines, ...halves, ...uploads, ...expectations, ...heads, ...smuggled];
}
