/** Faults of sizes and ranges: too strict or too lax by one, at one place. */
import { gunzipSync } from "node:zlib";
import { operations } from "../../generated/operations";
import type { Fault } from "./fault";
import { field, type HttpRequest, withBody, withField } from "./message";
import { is, type OperationId, operationOf, query, requests, withQuery } from "./strokes";

const bodyLimit = "contract §3, body limits";

const limitOf = (request: HttpRequest): number => {
  const id = operationOf(request);
  const found = Object.entries(operations).find(([each]) => each === id);
  return found?.[1].body.limit ?? 0;
};
const chunked = (request: HttpRequest) => field(request, "Transfer-Encoding") !== undefined;

/** The same JSON in a byte less: of blanks, or of the longest text in it. */
function shorter(body: Buffer): Buffer {
  const text = body.toString("latin1");
  const run = / {2}|([a-zA-Z0-9])\1{9}/.exec(text);
  const at = run ? run.index : text.length - 1;
  return Buffer.concat([body.subarray(0, at), body.subarray(at + 1)]);
}

/** The same JSON in a byte more. */
const longer = (body: Buffer) => Buffer.concat([body, Buffer.from(" ")]);

/** A body of exactly this many bytes above (or below) the limit of its route is taken as one of another length. */
function offByOne(name: string, about: string, limit: number, over: 0 | 1, coded: boolean): Fault {
  return requests([`limits/${name}`, about, bodyLimit], (request) => {
    if (limitOf(request) !== limit || request.body.length !== limit + over || chunked(request) !== coded)
      return undefined;
    return withBody(request, over === 1 ? shorter(request.body) : longer(request.body));
  });
}

/** A parameter of the query that should be refused is taken for another. */
function parameter(
  name: string,
  about: string,
  ids: readonly OperationId[],
  where: string,
  when: string,
  instead: string | null,
): Fault {
  return requests([`limits/${name}`, about, `${ids.join(", ")}: ${where}`], (request) =>
    is(request, ...ids) && query(request).get(where) === when ? withQuery(request, where, instead) : undefined,
  );
}

export const limits: readonly Fault[] = [
  offByOne("command-body-one-more", "65 537 bytes of a command are read", 65_536, 1, false),
  offByOne(
    "command-body-one-more-chunked",
    "65 537 bytes of a command are read when they come in chunks",
    65_536,
    1,
    true,
  ),
  offByOne("command-body-one-less", "65 536 bytes of a command are too many", 65_536, 0, false),
  offByOne("command-body-one-less-chunked", "65 536 bytes of a command are too many in chunks", 65_536, 0, true),
  offByOne("body-one-more", "a byte more than 1 MiB is read", 1 << 20, 1, false),
  offByOne("body-one-less", "1 MiB is too much", 1 << 20, 0, false),
  requests(["limits/compressed", "a body is counted before it is decompressed", bodyLimit], (request) => {
    if (!/gzip/i.test(field(request, "Content-Encoding") ?? "")) return undefined;
    try {
      const size = gunzipSync(request.body, { maxOutputLength: 8 << 20 }).length;
      return size > limitOf(request) ? withBody(request, "{}") : undefined;
    } catch {
      // No gzip, or a bomb beyond what is looked at: the gateway says what it thinks of it.
      return undefined;
    }
  }),
  requests(["limits/ignored-body", "a body that is ignored may be of any size", bodyLimit], (request) =>
    request.method === "GET" && request.body.length > 1 << 20 ? withBody(request, "") : undefined,
  ),
  parameter("page-one-more", "limit may be 101", ["listSessions"], "limit", "101", "100"),
  parameter("page-zero", "limit may be 0", ["listRooms"], "limit", "0", "50"),
  parameter(
    "events-page-one-more",
    "limit of events may be 1001",
    ["listSessionEvents", "listRoomEvents"],
    "limit",
    "1001",
    "1000",
  ),
  parameter(
    "events-page-one-less",
    "limit of events must be below 1000",
    ["listSessionEvents"],
    "limit",
    "1000",
    "1001",
  ),
  parameter("after-negative", "after may be -1", ["listSessionEvents", "listRoomEvents"], "after", "-1", "0"),
  requests(["limits/cursor-any", "a cursor that nobody gave is the first page", "error invalid_cursor"], (request) =>
    is(request, "listSessions", "listRooms") && /[^\w-]|^.{0,3}$/.test(query(request).get("cursor") ?? "")
      ? withQuery(request, "cursor", null)
      : undefined,
  ),
  requests(["limits/app-id-one-more", "an app_id may have 65 characters", "error invalid_app_id_header"], (request) => {
    const id = field(request, "X-App-ID") ?? "";
    return /^[\w-]{65}$/.test(id) ? withField(request, "X-App-ID", id.slice(1)) : undefined;
  }),
];
