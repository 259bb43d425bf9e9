/** HTTP messages as they go through the proxy: read loosely, kept to the byte unless something is changed. */

/** A field of a head, as it was written. */
export type Field = readonly [name: string, value: string];

export interface RequestHead {
  readonly method: string;
  /** As it stands in the request line. */
  readonly target: string;
  readonly fields: readonly Field[];
}

export interface HttpRequest extends RequestHead {
  readonly body: Buffer;
  /** It is with the gateway already: nothing about it can be changed any more. Its body is not known. */
  readonly passed?: boolean;
}

export interface HttpAnswer {
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly Field[];
  readonly body: Buffer;
  /** Of a stream of events: what follows, decoded. */
  readonly rest?: AsyncIterable<Buffer>;
  /** The body is sent whatever was asked for. */
  readonly evenToHead?: boolean;
}

export type Json = Readonly<Record<string, unknown>>;

const requestLine = /^([A-Z]+) (\S+) HTTP\/1\.[01]$/;
const statusLine = /^HTTP\/1\.1 (\d{3}) ?(.*)$/;

/** Where a head ends, or -1. */
export function endOfHead(bytes: Buffer): number {
  const at = bytes.indexOf("\r\n\r\n");
  return at < 0 ? -1 : at + 4;
}

function lines(head: Buffer): string[] {
  return head
    .toString("latin1")
    .replace(/^(?:\r\n)+/, "")
    .trimEnd()
    .split("\r\n");
}

function fieldsOf(rest: readonly string[]): Field[] {
  return rest.map((line) => {
    const colon = line.indexOf(":");
    return colon < 0 ? [line, ""] : [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
}

/** @returns null when the proxy does not understand it */
export function readRequest(head: Buffer): RequestHead | null {
  const [first = "", ...rest] = lines(head);
  const [, method, target] = requestLine.exec(first) ?? [];
  return method && target ? { method, target, fields: fieldsOf(rest) } : null;
}

/** @returns null when the proxy does not understand it */
export function readAnswer(head: Buffer): HttpAnswer | null {
  const [first = "", ...rest] = lines(head);
  const [, status, reason = ""] = statusLine.exec(first) ?? [];
  return status ? { status: Number(status), reason, fields: fieldsOf(rest), body: Buffer.alloc(0) } : null;
}

/** The value of a field; undefined when it is not there. */
export function field({ fields }: { readonly fields: readonly Field[] }, name: string): string | undefined {
  return fields.find(([each]) => each.toLowerCase() === name.toLowerCase())?.[1];
}

/** With this value in place of what was there; null takes it away. */
export function withField<M extends { readonly fields: readonly Field[] }>(
  message: M,
  name: string,
  value: string | null,
): M {
  const is = ([each]: Field) => each.toLowerCase() === name.toLowerCase();
  const own: Field[] = value === null ? [] : [[message.fields.find(is)?.[0] ?? name, value]];
  const at = message.fields.findIndex(is);
  const others = message.fields.filter((each) => !is(each));
  const place = at < 0 ? others.length : at;
  return { ...message, fields: [...others.slice(0, place), ...own, ...others.slice(place)] };
}

/** The path of a target, as it was written. */
export function pathOf({ target }: { readonly target: string }): string {
  return target.replace(/^https?:\/\/[^/]*/, "").split("?")[0] ?? "";
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The body when it is one JSON object. */
export function jsonOf({ body }: { readonly body: Buffer }): Json | null {
  if (body[0] !== 0x7b && !/^\s*\{/.test(body.toString("latin1", 0, 32))) return null;
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return isObject(value) ? value : null;
  } catch {
    // No JSON: then there is nothing in it that could be changed.
    return null;
  }
}

/** An object of a JSON, or an empty one. */
export function within(json: Json | null, name: string): Json {
  const value = json?.[name];
  return isObject(value) ? value : {};
}

/** The objects of a list. */
export function listIn(json: Json | null, name: string): readonly Json[] {
  const value = json?.[name];
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** The same message with this body, its length and its framing in order. */
export function withBody<M extends HttpRequest | HttpAnswer>(message: M, body: Buffer | string): M {
  const bytes = Buffer.from(body);
  const plain = withField(withField(message, "Transfer-Encoding", null), "Content-Encoding", null);
  return { ...withField(plain, "Content-Length", String(bytes.length)), body: bytes };
}

export function withJson<M extends HttpRequest | HttpAnswer>(message: M, json: unknown): M {
  return withBody(message, JSON.stringify(json));
}

function head(first: string, fields: readonly Field[]): Buffer {
  return Buffer.from(`${first}\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`, "latin1");
}

export function requestBytes(request: HttpRequest): Buffer {
  const { method, target, fields, body } = request;
  const chunked = field(request, "Transfer-Encoding") !== undefined;
  const framed = chunked ? withBody(request, body).fields : fields;
  return Buffer.concat([head(`${method} ${target} HTTP/1.1`, framed), body]);
}

/** @param method of the request that it answers */
export function answerBytes(answer: HttpAnswer, method: string): Buffer {
  const { status, reason, body, rest } = answer;
  const bodiless = (method === "HEAD" && !answer.evenToHead) || status === 204 || status === 304;
  const chunked = field(answer, "Transfer-Encoding") !== undefined;
  const framed = rest || bodiless || !chunked ? answer : withBody(answer, body);
  const start = head(`HTTP/1.1 ${status} ${reason}`, framed.fields);
  return bodiless ? start : Buffer.concat([start, body]);
}

/** An answer that the gateway never gave, with the fields that all answers have. */
export function ownAnswer(status: number, json: unknown, more: readonly Field[] = []): HttpAnswer {
  const body = Buffer.from(JSON.stringify(json));
  const given = new Set(more.map(([name]) => name.toLowerCase()));
  const usual: Field[] = [
    ["Content-Type", "application/json; charset=utf-8"],
    ["Cache-Control", "no-store"],
  ];
  const fields = [...usual.filter(([name]) => !given.has(name.toLowerCase())), ...more];
  return { status, reason: "Answered", fields: [...fields, ["Content-Length", String(body.length)]], body };
}
