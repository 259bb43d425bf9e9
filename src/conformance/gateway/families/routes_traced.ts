/** `X-Request-ID`: the caller's own where it fits, else a new one, on every kind of answer. */
import { Broken, type Check } from "../../check";
import type { Answer, RequestHeaders } from "../ground/client";
import { onWire, requestLine } from "../ground/wire";
import { nobody } from "../requests/requests";
import { headersOf } from "../requests/states";
import type { World } from "../world";
import { headOf } from "./raw";

const clause = "every response: X-Request-ID";
const fits = /^[A-Za-z0-9._-]{1,128}$/;

interface Sample {
  readonly method: string;
  readonly path: string;
  readonly headers?: RequestHeaders;
  readonly body?: object | string | null;
}

/** One request for each kind of answer. */
async function samples(world: World): Promise<readonly Sample[]> {
  const headers = headersOf(await world.main());
  const session = `/api/v1/sessions/${nobody.uuid}`;
  return [
    { method: "GET", path: "/live" },
    { method: "HEAD", path: "/live" },
    { method: "GET", path: "/openapi.json" },
    { method: "GET", path: "/samples/tone.wav" },
    { method: "GET", path: "/metrics" },
    { method: "GET", path: "/nowhere" },
    { method: "PUT", path: "/live" },
    { method: "GET", path: "/api/v1/sessions" },
    { method: "GET", path: "/api/v1/sessions", headers },
    { method: "GET", path: "/api/v1/sessions?limit=0", headers },
    { method: "GET", path: session, headers },
    { method: "POST", path: `${session}/commands/answer`, headers, body: {} },
    { method: "POST", path: `${session}/commands/answer`, headers, body: "[1]" },
    { method: "POST", path: `${session}/commands/dance`, headers },
  ];
}

function idOf({ headers, exchange }: Omit<Answer, "operation">): string {
  const id = String(headers["x-request-id"]);
  if (!fits.test(id)) throw new Broken({ expected: "an X-Request-ID", got: id, exchanges: [exchange] });
  return id;
}

/** Ids that fit: the shortest, the longest, and all signs. */
const good = ["a", "0", "Az09._-", "-", ".", "x".repeat(128)];
/** A field of a request holds a byte for each letter: those beyond ASCII go as they are. */
const bad = ["a b", "x".repeat(129), "a/b", "a,b", "ä", "{}", '"a"'];

export const requestIds: readonly Check<World>[] = [
  {
    id: "routes/request-id/own",
    title: "Whatever the answer is, it has the caller's X-Request-ID",
    clause,
    profile: "minimal",
    async run(world) {
      let n = 0;
      for (const sample of await samples(world)) {
        const own = `kit.${world.run}-${++n}_A`;
        const answer = await world.request({ ...sample, headers: { ...sample.headers, "X-Request-ID": own } });
        if (idOf(answer) !== own)
          throw new Broken({ expected: `X-Request-ID: ${own}`, got: idOf(answer), exchanges: [answer.exchange] });
      }
      for (const own of good) {
        const answer = await world.request({ method: "GET", path: "/live", headers: { "X-Request-ID": own } });
        if (idOf(answer) !== own)
          throw new Broken({ expected: `X-Request-ID: ${own}`, got: idOf(answer), exchanges: [answer.exchange] });
      }
    },
  },
  {
    id: "routes/request-id/new",
    title: "An X-Request-ID that does not fit is replaced by a new one",
    clause,
    profile: "full",
    async run(world) {
      for (const own of bad) {
        const answer = await world.request({ method: "GET", path: "/live", headers: { "X-Request-ID": own } });
        if (idOf(answer) === own) throw new Broken({ expected: "another id", got: own, exchanges: [answer.exchange] });
      }
    },
  },
  {
    id: "routes/request-id/unique",
    title: "Each answer without the caller's id has one that no other has",
    clause,
    profile: "full",
    async run(world) {
      const seen = new Set<string>();
      for (const sample of await samples(world)) {
        const answer = await world.request(sample);
        const id = idOf(answer);
        if (seen.has(id)) throw new Broken({ expected: "a new X-Request-ID", got: id, exchanges: [answer.exchange] });
        seen.add(id);
      }
    },
  },
  {
    id: "routes/request-id/raw",
    title: "What is refused below the router has the caller's X-Request-ID, if it could be read",
    clause,
    profile: "full",
    async run(world) {
      const head = headOf(world);
      for (const [line, ...fields] of [
        ["GET /live HTTP/1.1", "Expect: a-miracle"],
        ["GET /live%zz HTTP/1.1"],
        ["GET /live HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket"],
      ]) {
        const bytes = head(line ?? "", ...fields, "X-Request-ID: kit-raw-1");
        const answer = await onWire(world.url, (wire) => {
          wire.write(bytes);
          return wire.answer(...requestLine(bytes));
        });
        if (idOf(answer) !== "kit-raw-1")
          throw new Broken({ expected: "X-Request-ID: kit-raw-1", got: idOf(answer), exchanges: [answer.exchange] });
      }
      const answer = await onWire(world.url, (wire) => {
        wire.write("GARBAGE\r\n\r\n");
        return wire.answer();
      });
      idOf(answer);
    },
  },
];
