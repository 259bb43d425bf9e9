/** Digits by INFO: application/dtmf-relay (`Signal=5`, `Duration=160`) and application/dtmf (the bare digit). */
import { readValue } from "./grammar";
import type { SipRequest } from "./message";

/** Where a body names no duration: the value that the inventors of dtmf-relay gave. */
const defaultMs = 250;
const longestMs = 10_000;
const signals: readonly string[] = [..."0123456789*#ABCD"];

export type Info =
  | { readonly digit: string; readonly duration_ms: number }
  /** Nothing to act on: an empty INFO, or a hook flash. */
  | "nothing"
  | "malformed"
  | "unsupported";

function digitOf(character: string): string | null {
  const upper = character.toUpperCase();
  return signals.includes(upper) ? upper : null;
}

/** A Signal is a character or the number of its event (RFC 4733 section 3.2), the bare body of application/dtmf a character. */
function read(body: string): string | "flash" | null {
  const signal = fieldOf(body, "signal");
  if (signal === "16") return "flash";
  if (signal !== undefined && /^1[0-5]$/.test(signal)) return signals[Number(signal)] ?? null;
  return digitOf(signal ?? body.trim());
}

function fieldOf(body: string, name: string): string | undefined {
  return new RegExp(`^[ \\t]*${name}[ \\t]*[=:][ \\t]*(\\S{1,8})[ \\t]*$`, "im").exec(body)?.[1];
}

export function readInfo(request: SipRequest): Info {
  const type = request.headers.get("content-type");
  if (type === undefined || request.body.length === 0) return request.body.length === 0 ? "nothing" : "malformed";
  const kind = readValue(type)?.value;
  if (kind !== "application/dtmf-relay" && kind !== "application/dtmf") return "unsupported";
  const body = request.body.toString("latin1", 0, 1024);
  const digit = read(body);
  if (digit === null) return "malformed";
  if (digit === "flash") return "nothing";
  const duration = Number(fieldOf(body, "duration") ?? defaultMs);
  return { digit, duration_ms: duration > 0 ? Math.min(Math.round(duration), longestMs) : defaultMs };
}
