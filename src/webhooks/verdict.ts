/** What becomes of an event after an attempt to deliver it: one pure function, no clock and no chance of its own. */
import type { RequestFailure } from "../outbound/request";
import type { Settlement, Taken } from "../store/store";

/** `status` is there as soon as the headers are: what then happens to the answer's body changes nothing. */
export type Outcome =
  | { readonly status: number; readonly retry_after: string | undefined }
  | { readonly failure: Exclude<RequestFailure, "aborted">; readonly code: string | null };

export interface Attempted {
  readonly outcome: Outcome;
  readonly mode: Taken["mode"];
  /** This one included. */
  readonly attempts: number;
  /** Of the event, when the attempt ended. */
  readonly age_ms: number;
  /** How long after its creation an event is tried again. */
  readonly retry_ms: number;
  /** Epoch milliseconds, for a `Retry-After` that is a date. */
  readonly now: number;
  /** 0 ≤ random < 1 */
  readonly random: number;
}

/**
 * What the wait after the first, second, … attempt takes of the whole time: with 300 s these are 1, 2, 5, 12, 30, 75
 * and 150 s. There is no wait after the eighth.
 */
const waits = [1 / 300, 2 / 300, 5 / 300, 12 / 300, 30 / 300, 75 / 300, 150 / 300];
const jitter = 0.2;

type Answer = "delivered" | "disable" | "failed";
/** The first row that holds decides. Redirects are not followed, so a 3xx has delivered nothing. */
const answers: readonly (readonly [from: number, to: number, Answer])[] = [
  [200, 299, "delivered"],
  [410, 410, "disable"],
  [0, 999, "failed"],
];

function answerOf(outcome: Outcome): Answer {
  if (!("status" in outcome)) return "failed";
  const { status } = outcome;
  return answers.find(([from, to]) => status >= from && status <= to)?.[2] ?? "failed";
}

/** Milliseconds that a `Retry-After` (RFC 9110, 10.2.3) asks for; null when it says nothing that can be read. */
export function retryAfterMs(value: string | undefined, now: number): number | null {
  if (value === undefined) return null;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = /GMT$/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

/**
 * A failure is tried again as long as attempts and time are left, the last time just before time is up. So an event
 * that is older than that when its turn comes has one attempt.
 */
export function verdict(attempted: Attempted): Settlement["verdict"] {
  const { outcome, mode, attempts, age_ms, retry_ms, now, random } = attempted;
  const answer = answerOf(outcome);
  if (answer === "delivered") return "delivered";
  if (mode === "closing") return "dead";
  if (answer === "disable") return "disable";
  const share = waits[attempts - 1];
  const left = retry_ms - age_ms;
  if (share === undefined || left <= 0) return "dead";
  const wait = share * retry_ms * (1 - jitter + 2 * jitter * random);
  const asked = "status" in outcome ? retryAfterMs(outcome.retry_after, now) : null;
  // A receiver that asks for no wait at all still gets the shortest one.
  const chosen = asked === null ? wait : Math.max(asked, (waits[0] ?? 0) * retry_ms);
  return { retry_in_ms: Math.max(1, Math.round(Math.min(chosen, left))) };
}
