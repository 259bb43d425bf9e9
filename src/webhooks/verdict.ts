/** What becomes of an event after an attempt to deliver it: one pure function, no clock and no chance of its own. */
import { retryInMs } from "../outbound/backoff";
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
  /** Of the event, or of its replay, when the attempt ended. */
  readonly age_ms: number;
  /** How long after its creation an event is tried again. */
  readonly retry_ms: number;
  /** Epoch milliseconds, for a `Retry-After` that is a date. */
  readonly now: number;
  /** 0 ≤ random < 1 */
  readonly random: number;
}

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

/** A failure is tried again as long as attempts and time are left. */
export function verdict(attempted: Attempted): Settlement["verdict"] {
  const { outcome, mode, attempts, age_ms, retry_ms, now, random } = attempted;
  const answer = answerOf(outcome);
  if (answer === "delivered") return "delivered";
  if (mode === "closing") return "dead";
  if (answer === "disable") return "disable";
  const retry_after = ("status" in outcome ? outcome.retry_after : null) ?? null;
  const retry_in_ms = retryInMs({ attempts, age_ms, retry_ms, retry_after, now, random });
  return retry_in_ms === null ? "dead" : { retry_in_ms };
}
