/** Errors as they are answered: one envelope, with texts and codes from the catalogue alone. */
import { type ErrorCode, errors, pseudoOperations } from "../../generated/operations";
import type { AnyFailure, Failure, PseudoOperationId } from "../contract";

/** Content type of every JSON answer, all errors included. */
export const json_type = "application/json; charset=utf-8";

/** One error of the catalogue, as it is answered when it has no detail. */
interface Entry {
  readonly code: ErrorCode;
  readonly status: number;
  /** The envelope without its last brace. */
  readonly open: string;
  readonly body: string;
  /** Seconds of `Retry-After`; 0: has none. */
  readonly retryAfter: number;
  readonly unrouted: string;
}

/** Stands for the operation where there is none. */
export const no_operation = "none";

/** Which pseudo-operation declares an error that is answered without a route. */
const unrouted = new Map<string, string>();
for (const [id, { auth, failures }] of Object.entries(pseudoOperations))
  if (auth === "none") for (const code of failures) unrouted.set(code, id);

const byFailure = new Map<string, Entry>();
const byCode = new Map<string, Entry>();
for (const [code, { status, message, ...more }] of Object.entries(errors) as [
  ErrorCode,
  (typeof errors)[ErrorCode],
][]) {
  if (status === null) continue;
  const open = JSON.stringify({ success: false, error: message, code }).slice(0, -1);
  const retryAfter = status === 429 || status === 503 || "retry" in more ? 1 : 0;
  const answerer = unrouted.get(code) ?? no_operation;
  const entry: Entry = { code, status, open, body: `${open}}`, retryAfter, unrouted: answerer };
  byFailure.set(`${status} ${message}`, entry);
  byCode.set(code, entry);
}

/** What belongs to no path: given below the router. */
type Below = Exclude<PseudoOperationId, "commands.unknown">;
export type TransportError = { [O in Below]: Failure<O> }[Below];

/** The only errors whose text is answered; anything else that is thrown is a defect, and a 500. */
export class Fault extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  /** Seconds; 0: no `Retry-After`. */
  readonly retryAfter: number;
  /** Bytes of the answer. */
  readonly body: string;
  /** The pseudo-operation whose answer it is where the request has no route. */
  readonly unrouted: string;
  /** Value of `Allow`. */
  allow: string | null = null;

  constructor(entry: Entry, detail: unknown, retryAfterMs: number) {
    super(entry.code);
    this.code = entry.code;
    this.status = entry.status;
    this.unrouted = entry.unrouted;
    this.body = detail === undefined ? entry.body : `${entry.open},"detail":${JSON.stringify(detail)}}`;
    this.retryAfter = entry.retryAfter === 0 ? 0 : Math.max(entry.retryAfter, Math.ceil(retryAfterMs / 1000));
  }
}

function found(entry: Entry | undefined, name: string): Entry {
  if (!entry) throw new Error(`"${name}" is not in the catalogue of errors`);
  return entry;
}

/**
 * @param failure status and message: `404 Session not found`
 * @param detail what the catalogue declares for it
 * @param retryAfterMs for those that have a `Retry-After`; it is at least one second
 */
export function fault(failure: AnyFailure, detail?: unknown, retryAfterMs = 0): Fault {
  return new Fault(found(byFailure.get(failure), failure), detail, retryAfterMs);
}

/** The same by its code, as fields name their errors. */
export function faultOf(code: string, detail?: unknown): Fault {
  return new Fault(found(byCode.get(code), code), detail, 0);
}
