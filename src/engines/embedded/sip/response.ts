/** Answers to requests (RFC 3261 section 8.2.6, RFC 3581 section 4). */
import type { SipRequest } from "./message";

const phrases: Readonly<Record<number, string>> = {
  100: "Trying",
  180: "Ringing",
  183: "Session Progress",
  200: "OK",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  410: "Gone",
  413: "Request Entity Too Large",
  415: "Unsupported Media Type",
  416: "Unsupported URI Scheme",
  420: "Bad Extension",
  480: "Temporarily Unavailable",
  481: "Call/Transaction Does Not Exist",
  482: "Loop Detected",
  483: "Too Many Hops",
  484: "Address Incomplete",
  486: "Busy Here",
  487: "Request Terminated",
  488: "Not Acceptable Here",
  491: "Request Pending",
  500: "Server Internal Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Server Time-out",
  505: "Version Not Supported",
  600: "Busy Everywhere",
  603: "Decline",
  604: "Does Not Exist Anywhere",
  606: "Not Acceptable",
};
const classes = ["", "Progress", "OK", "Redirection", "Client Error", "Server Error", "Global Failure"];

/** A header of ours: its name as it is to be written, and its value. */
export type Field = readonly [name: string, value: string];

export interface Answer {
  readonly status: number;
  readonly reason?: string;
  /** Goes into To where the request had no tag; left out of a 100. */
  readonly tag?: string;
  readonly fields?: readonly Field[];
  readonly body?: { readonly type: string; readonly text: string };
}

/** The address that a request came from. */
export interface Source {
  readonly address: string;
  readonly port: number;
}

/** The topmost Via with `received` and, when it was asked for, `rport`: what a stranger wrote there is overwritten. */
function stampedVia(request: SipRequest, source: Source): string {
  const { via } = request;
  const params: string[] = [];
  for (const [name, value] of via.params) {
    if (name === "received") continue;
    if (name === "rport") params.push(`rport=${source.port}`);
    else params.push(value === "" ? name : `${name}=${value}`);
  }
  if (via.params.has("rport") || via.host !== source.address) params.push(`received=${source.address}`);
  return [via.head, ...params].join(";");
}

/** The bytes of an answer. What could not be read of a bad request is left out. */
export function writeResponse(request: SipRequest, source: Source, answer: Answer): Buffer {
  const { headers } = request;
  const lines = [
    `SIP/2.0 ${answer.status} ${answer.reason ?? phrases[answer.status] ?? classes[Math.floor(answer.status / 100)]}`,
  ];
  lines.push(`Via: ${stampedVia(request, source)}`);
  for (const via of request.otherVias) lines.push(`Via: ${via}`);
  const from = headers.get("from");
  if (from !== undefined) lines.push(`From: ${from}`);
  const to = headers.get("to");
  if (to !== undefined)
    lines.push(`To: ${answer.tag === undefined || request.toTag !== "" ? to : `${to};tag=${answer.tag}`}`);
  for (const [name, key] of echoed) {
    const value = headers.get(key);
    if (value !== undefined) lines.push(`${name}: ${value}`);
  }
  for (const [name, value] of answer.fields ?? []) lines.push(`${name}: ${value}`);
  if (answer.body) lines.push(`Content-Type: ${answer.body.type}`);
  const body = answer.body?.text ?? "";
  lines.push(`Content-Length: ${Buffer.byteLength(body, "latin1")}`, "", body);
  return Buffer.from(lines.join("\r\n"), "latin1");
}
const echoed = [
  ["Call-ID", "call-id"],
  ["CSeq", "cseq"],
] as const;

/** Copied into every answer that makes or keeps a dialog, in order (section 12.1.1). */
export function recordRoutes(request: SipRequest): Field[] {
  return request.headers.all("record-route").map((value): Field => ["Record-Route", value]);
}
