/** Faults of the form of bodies: what is taken although it should not be, and the other way round. */
import type { Fault } from "./fault";
import { field, type HttpRequest, type Json, jsonOf, withBody, withField } from "./message";
import { bodies, is, type OperationId, operationOf, requests } from "./strokes";

/** What belongs to a body of an operation, by the document. */
const known: Readonly<Record<string, readonly string[]>> = {
  answer: ["command_uid"],
  startPlayback: ["command_uid", "urls", "offset_sec"],
  createRoom: ["name", "session_uuid"],
};

function strangers(ids: readonly (keyof typeof known & OperationId)[], name: string): Fault {
  return bodies(
    [`limits/${name}`, `${ids.join(", ")} ignore fields that nobody knows`, "error unknown_field"],
    ids,
    (body) => {
      const own = Object.entries(body).filter(([each]) => ids.some((id) => known[id]?.includes(each)));
      return own.length < Object.keys(body).length ? Object.fromEntries(own) : undefined;
    },
  );
}

const depth = (value: unknown): number =>
  typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depth)) : 0;
const declaredType = (request: HttpRequest) => field(request, "Content-Type") ?? "";
const typed = (request: HttpRequest, when: (type: string) => boolean): HttpRequest | undefined =>
  request.body.length > 0 && when(declaredType(request)) && operationOf(request) !== null
    ? withField(request, "Content-Type", "application/json")
    : undefined;
const invalidBody = "error invalid_request_body";
const wrongType = "error unsupported_content_type";

const replaced = (request: HttpRequest, when: boolean, body: string | Json): HttpRequest | undefined =>
  when ? withBody(request, typeof body === "string" ? body : JSON.stringify(body)) : undefined;

export const forms: readonly Fault[] = [
  strangers(["startPlayback"], "unknown-field"),
  strangers(["createRoom"], "unknown-field-room"),
  requests(["forms/proto", "a __proto__ key is ignored", invalidBody], (request) => {
    const text = request.body.toString("utf8");
    return replaced(
      request,
      text.includes('"__proto__"'),
      text.replaceAll('"__proto__"', '"command_uid"').replace(/\{"command_uid":\{\}\}/, "{}"),
    );
  }),
  requests(["forms/depth-33", "33 levels are read", invalidBody], (request) => {
    const json = jsonOf(request);
    return json && depth(json) === 33 ? withBody(request, JSON.stringify(flatter(json))) : undefined;
  }),
  requests(["forms/depth-32", "32 levels are too many", invalidBody], (request) => {
    const json = jsonOf(request);
    return json && depth(json) === 32 ? withBody(request, JSON.stringify({ ...json, deep: json })) : undefined;
  }),
  requests(["forms/array", "an array is taken for an object", invalidBody], (request) =>
    replaced(request, request.body.toString("latin1").trimStart().startsWith("["), "{}"),
  ),
  requests(["forms/no-utf8", "bytes that are no UTF-8 are taken", invalidBody], (request) => {
    const text = request.body.toString("utf8");
    return replaced(
      request,
      !field(request, "Content-Encoding") && text.includes("\ufffd"),
      text.replaceAll("\ufffd", "?"),
    );
  }),
  requests(["forms/byte-order-mark", "a byte order mark is taken", invalidBody], (request) =>
    request.body.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf]))
      ? withBody(request, request.body.subarray(3))
      : undefined,
  ),
  requests(["forms/utf-16", "any charset is taken for UTF-8", wrongType], (request) =>
    typed(
      request,
      (type) => /^application\/json/i.test(type) && /charset=/i.test(type) && !/charset="?utf-8/i.test(type),
    ),
  ),
  requests(["forms/text", "text/plain is taken for JSON", wrongType], (request) =>
    typed(request, (type) => /^text\/plain/i.test(type)),
  ),
  requests(["forms/no-type", "a body without a type is taken for JSON", wrongType], (request) =>
    typed(request, (type) => type === ""),
  ),
  requests(["forms/charset-refused", "a type with charset=utf-8 is refused", wrongType], (request) =>
    /^application\/json\s*;\s*charset="?utf-8/i.test(declaredType(request))
      ? withField(request, "Content-Type", "text/plain")
      : undefined,
  ),
  requests(["forms/empty-refused", "answer must have a body", "operation answer"], (request) =>
    is(request, "answer") && request.body.length === 0
      ? withField(withBody(request, "[]"), "Content-Type", "application/json")
      : undefined,
  ),
  requests(
    ["forms/lenient-refused", "conference/leave refuses a body that is no JSON", "operation leaveRoom"],
    (request) => {
      const foreign = request.body.length > 0 && !/^application\/json/i.test(declaredType(request));
      return is(request, "leaveRoom") && foreign
        ? { ...request, target: request.target.replace("conference/leave", "answer") }
        : undefined;
    },
  ),
  requests(["forms/lenient-reads-all", "room stop reads a body of any type", "operation stopRoom"], (request) =>
    is(request, "stopRoom") ? typed(request, (type) => !/^application\/json/i.test(type)) : undefined,
  ),
  requests(["forms/coding-ignored", "compressed bodies are refused", invalidBody], (request) =>
    /^(?:gzip|deflate|br)$/i.test(field(request, "Content-Encoding") ?? "")
      ? withField(request, "Content-Encoding", null)
      : undefined,
  ),
];

/** One level less. */
function flatter(json: Json): unknown {
  const below = Object.entries(json).find(([, value]) => depth(value) === depth(json) - 1);
  if (!below) return json;
  const [name, value] = below;
  const inner = Array.isArray(value) ? value[0] : Object.values(Object(value))[0];
  return { ...json, [name]: inner ?? [] };
}
