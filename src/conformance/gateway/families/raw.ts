/** What happens on a bare socket: each broken request gets the envelope and a clean end, and whole ones their answers in order. */
import { errors } from "../../../../generated/operations";
import type { ErrorCode } from "../../../contract";
import { Broken, type Check } from "../../check";
import { onWire, requestLine } from "../ground/wire";
import { expectFailure } from "../requests/failure";
import { headFor, json, type RawCase, rawCases } from "../requests/raw_requests";
import { scratchApp } from "../requests/states";
import type { World } from "../world";

/** Longer than a gateway waits for the end of a head. */
const timedOutMs = 45_000;

export const headOf = (world: World) => headFor(new URL(world.url).host);

/** The head of a request that reads a JSON body of up to 1 MiB, and makes an app of `{}`. */
export const putAppOf = (world: World) => {
  const head = headOf(world);
  const key = String(world.admin["X-Admin-API-Key"]);
  return (...fields: string[]) =>
    head(`POST /admin/apps/${scratchApp(world)} HTTP/1.1`, `X-Admin-API-Key: ${key}`, json, ...fields);
};

const closing = "Connection: close";

/** Sends these bytes, and holds what comes back against an error of the catalogue. */
const sent =
  (code: ErrorCode, bytes: (head: ReturnType<typeof headFor>) => string) =>
  (world: World): Promise<void> =>
    onWire(world.url, async (wire) => {
      const written = bytes(headOf(world));
      wire.write(written);
      expectFailure(await wire.answer(...requestLine(written)), code, errors[code].provoke);
    });

const asked =
  (code: ErrorCode, method: string, path: string) =>
  async (world: World): Promise<void> =>
    expectFailure(await world.request({ method, path }), code, `${method} ${path}`);

/** How errors of what belongs to no operation are caused. */
export const malformed: { readonly [C in ErrorCode]?: (world: World) => Promise<void> } = {
  bad_request: sent("bad_request", () => "GARBAGE\r\n\r\n"),
  request_header_fields_too_large: sent("request_header_fields_too_large", (head) =>
    head("GET /live HTTP/1.1", `X-A: ${"a".repeat(17_000)}`),
  ),
  request_timed_out: (world) =>
    onWire(world.url, async (wire) => {
      wire.write("GET /live HTTP/1.1\r\nHost: x\r\n");
      const answer = await wire.answer("", "", timedOutMs);
      expectFailure(answer, "request_timed_out", "half a head, and silence");
      await wire.closed();
    }),
  expectation_failed: sent("expectation_failed", (head) => head("GET /live HTTP/1.1", "Expect: a-miracle", closing)),
  upgrade_not_supported: sent("upgrade_not_supported", (head) =>
    head("GET /live HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket"),
  ),
  not_found: asked("not_found", "GET", "/nowhere"),
  method_not_allowed: asked("method_not_allowed", "DELETE", "/live"),
};

async function answers(world: World, [name, made, answer]: RawCase): Promise<void> {
  const bytes = typeof made === "function" ? made() : made;
  await onWire(world.url, async (wire) => {
    wire.write(bytes);
    const response = await wire.answer(...requestLine(bytes));
    const got = `${response.status} ${response.error}`;
    if (got !== answer) throw new Broken({ expected: `${answer} to ${name}`, got, exchanges: [response.exchange] });
    if (wire.reset)
      throw new Broken({
        expected: "a connection that is closed in order",
        got: "a reset",
        exchanges: [response.exchange],
      });
    await wire.closed();
  });
}

const slugOf = (name: string) =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");

/** By name, before there is a gateway. */
const named = Object.values(rawCases(headFor("gateway"), (...fields) => fields.join("\r\n"))).flat();

const minimal = ["no HTTP at all", "a field without a colon", "a length and chunks", "an unknown expectation"];

export function raw(): Check<World>[] {
  return named.map(([name, , answer], at) => ({
    id: `raw/${slugOf(name)}`,
    title: `On a bare socket: ${name} is answered ${answer.trim()}`,
    clause: "every response: the same envelope for all that HTTP itself would answer",
    profile: minimal.includes(name) ? "minimal" : "full",
    async run(world) {
      const found = Object.values(rawCases(headOf(world), putAppOf(world))).flat()[at];
      if (!found) throw new Error(`there is no case ${name}`);
      await answers(world, found);
    },
  }));
}
