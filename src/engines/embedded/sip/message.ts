/**
 * SIP messages (RFC 3261 sections 7 and 25): bytes to a request or a response. Text is kept one character per byte
 * (latin1), so that what is echoed leaves as it came. A request that is wrong but can be answered carries its refusal.
 */
import { isToken, type NameAddr, readNameAddr, readVia, split, type Via } from "./grammar";

/** Longest start line and headers, most header fields, longest body: in bytes and numbers. */
export const limits = { head: 16_384, headers: 128, body: 32_768, id: 256 } as const;

export interface Refusal {
  readonly status: number;
  readonly reason?: string;
}

export class Headers {
  readonly #fields: (readonly [name: string, value: string])[] = [];

  /** `name` in lower case and in its long form. */
  add(name: string, value: string): void {
    this.#fields.push([name, value]);
  }

  get(name: string): string | undefined {
    return this.#fields.find((field) => field[0] === name)?.[1];
  }

  /** Each line of its own, in order. */
  all(name: string): string[] {
    return this.#fields.filter((field) => field[0] === name).map((field) => field[1]);
  }

  /** The members of a comma separated header over all of its lines; null when one cannot be read. */
  list(name: string): string[] | null {
    const members: string[] = [];
    for (const value of this.all(name)) {
      const parts = split(value, ",");
      if (!parts) return null;
      members.push(...parts.filter((part) => part !== ""));
    }
    return members;
  }
}

export interface SipRequest {
  readonly kind: "request";
  readonly method: string;
  readonly uri: string;
  readonly headers: Headers;
  readonly body: Buffer;
  /** The topmost Via, and all others as they were written. */
  readonly via: Via;
  readonly otherVias: readonly string[];
  readonly branch: string;
  readonly from: NameAddr | null;
  readonly to: NameAddr | null;
  readonly fromTag: string;
  readonly toTag: string;
  readonly callId: string;
  readonly cseq: number;
  /** What makes it a bad request, whoever sent it. */
  readonly fault: Refusal | null;
}

export interface SipResponse {
  readonly kind: "response";
  readonly status: number;
  readonly branch: string;
  /** Method of the CSeq. */
  readonly method: string;
  /** What stands behind its number, empty where nothing does. */
  readonly reason: string;
  readonly headers: Headers;
  readonly body: Buffer;
}

const compact: ReadonlyMap<string, string> = new Map([
  ["a", "accept-contact"],
  ["b", "referred-by"],
  ["c", "content-type"],
  ["e", "content-encoding"],
  ["f", "from"],
  ["i", "call-id"],
  ["k", "supported"],
  ["l", "content-length"],
  ["m", "contact"],
  ["o", "event"],
  ["r", "refer-to"],
  ["s", "subject"],
  ["t", "to"],
  ["u", "allow-events"],
  ["v", "via"],
  ["x", "session-expires"],
]);
const single = ["from", "to", "call-id", "cseq", "max-forwards", "content-length", "content-type"];

/** Where the empty line after the headers ends; -1 when it is not there. */
export function headEnd(bytes: Buffer, from: number): number {
  const at = bytes.indexOf("\r\n\r\n", from, "latin1");
  return at < 0 ? -1 : at + 4;
}

/** How many bytes of CR and LF stand before the message. */
export function leadingLines(bytes: Buffer): number {
  let at = 0;
  while (bytes[at] === 13 || bytes[at] === 10) at++;
  return at;
}

/** The value of Content-Length in a head: null when there is none, NaN when it is no number or there are two. */
export function contentLength(headers: Headers): number | null {
  const values = headers.all("content-length");
  if (values.length === 0) return null;
  const [value = ""] = values;
  return values.length === 1 && /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
}

interface Head {
  readonly start: string;
  readonly headers: Headers;
  readonly fault: Refusal | null;
}

/** Start line and header fields; null for what nobody should answer: a bare CR, LF or NUL would let a field smuggle another one into the answer. */
export function readHead(text: string): Head | null {
  if (/\0|\r(?!\n)|(?<!\r)\n/.test(text)) return null;
  const headers = new Headers();
  let fault: Refusal | null = null;
  const lines = text.replace(/\r\n[ \t]+/g, " ").split("\r\n");
  let count = 0;
  for (const line of lines.slice(1)) {
    if (line === "") continue;
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).trim().toLowerCase();
    if (!isToken(name)) fault ??= { status: 400, reason: "Malformed header field" };
    else if (++count > limits.headers) return { start: lines[0] ?? "", headers, fault: tooManyHeaders };
    else headers.add(compact.get(name) ?? name, line.slice(colon + 1).trim());
  }
  return { start: lines[0] ?? "", headers, fault };
}
const tooManyHeaders: Refusal = { status: 400, reason: "Too many header fields" };

/** A whole message: a datagram, or what the framing of a stream cut out. Null: no SIP, or nothing that could be answered. */
export function readMessage(message: Buffer): SipRequest | SipResponse | null {
  // Empty lines before a start line are none of it (section 7.5).
  const bytes = message.subarray(leadingLines(message));
  const end = headEnd(bytes, 0);
  // A head without its end, or too long a one, is still read as far as it goes: it may hold what an answer needs.
  const cut = Math.min(end < 0 ? bytes.length : end - 4, limits.head);
  const head = readHead(bytes.toString("latin1", 0, cut));
  if (!head) return null;
  const rest = bytes.subarray(end < 0 ? bytes.length : end);
  const response = /^SIP\/2\.0 ([1-6]\d\d) (.*)/i.exec(head.start);
  if (response) return readResponse(Number(response[1]), (response[2] ?? "").trim(), head.headers, rest);
  const start = /^([^ \t]{1,64}) (.*) (SIP\/\d{1,3}\.\d{1,3})$/i.exec(head.start);
  if (!start) return null;
  const [, method = "", uri = "", version = ""] = start;
  if (!isToken(method)) return null;
  return readRequest(method, uri, version, head, rest, cut, end);
}

function readResponse(status: number, reason: string, headers: Headers, rest: Buffer): SipResponse | null {
  const via = headers.list("via")?.map(readVia)[0];
  const method = headers.get("cseq")?.split(/[ \t]+/)[1];
  const branch = via?.params.get("branch");
  if (branch === undefined || method === undefined) return null;
  const body = rest.subarray(0, contentLength(headers) ?? rest.length);
  return { kind: "response", status, branch, method, reason, headers, body };
}

function readRequest(
  method: string,
  uri: string,
  version: string,
  head: Head,
  rest: Buffer,
  cut: number,
  end: number,
): SipRequest | null {
  const { headers } = head;
  const [top, ...otherVias] = headers.list("via") ?? [];
  const via = top === undefined ? null : readVia(top);
  if (!via) return null;
  const from = readNameAddr(headers.get("from") ?? "");
  const to = readNameAddr(headers.get("to") ?? "");
  const callId = headers.get("call-id") ?? "";
  const [, number, cseqMethod] = /^(\d{1,10})[ \t]+(\S+)$/.exec(headers.get("cseq") ?? "") ?? [];
  const cseq = Number(number ?? Number.NaN);
  const branch = via.params.get("branch") ?? "";
  const fromTag = from?.params.get("tag") ?? "";
  const toTag = to?.params.get("tag") ?? "";
  const length = contentLength(headers);
  const body = rest.subarray(0, length ?? rest.length);

  const fault = (): Refusal | null => {
    if (version.toUpperCase() !== "SIP/2.0") return { status: 505 };
    if (head.fault) return head.fault;
    if (end < 0 || cut === limits.head) return bad(cut === limits.head ? "Headers too long" : "No end of headers");
    const twice = single.find((name) => headers.all(name).length > 1);
    if (twice) return bad(`More than one ${twice}`);
    if (!from) return bad("Missing or malformed From");
    if (!to) return bad("Missing or malformed To");
    if (!/^[^\s]+$/.test(callId)) return bad("Missing or malformed Call-ID");
    if (!(cseq < 2 ** 31) || cseqMethod !== method) return bad("Missing or malformed CSeq");
    if ([callId, branch, fromTag, toTag].some((id) => id.length > limits.id)) return bad("Identifier too long");
    if (uri === "" || /[\s<>]/.test(uri)) return bad("Malformed Request-URI");
    const hops = headers.get("max-forwards");
    if (hops !== undefined && !(/^\d{1,3}$/.test(hops) && Number(hops) < 256)) return bad("Malformed Max-Forwards");
    if (Number.isNaN(length) || (length ?? 0) > rest.length) {
      return length !== null && length > limits.body ? { status: 413 } : bad("Wrong Content-Length");
    }
    return body.length > limits.body ? { status: 413 } : null;
  };
  return {
    kind: "request",
    ...{ method, uri, headers, body, via, otherVias, branch, from, to, fromTag, toTag, callId, cseq },
    fault: fault(),
  };
}

function bad(reason: string): Refusal {
  return { status: 400, reason };
}
