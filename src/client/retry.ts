/** When a request that failed is sent again, and when it is not. */
import type { Failure } from "./operation";

/** How far the client goes before it tells of a failure. */
export interface RetryOptions {
  /** Requests in all, the first one included (4). */
  readonly attempts?: number;
  /** Milliseconds that it waits between them, all in all (10 000). Longer than that is left to the caller. */
  readonly maxWaitMs?: number;
}

export type RetryPolicy = Required<RetryOptions>;

const defaults: RetryPolicy = { attempts: 4, maxWaitMs: 10_000 };
const never: RetryPolicy = { attempts: 1, maxWaitMs: 0 };

/** Of the first repeat after a lost connection, in milliseconds; doubled with each further one. */
const firstPauseMs = 200;
/** Up to this share comes on top, so that clients that were refused together do not come together again. */
const spread = 0.2;

/** @param options in place of the defaults; false: nothing is sent twice */
export function retryPolicy(options: RetryOptions | false | undefined): RetryPolicy {
  return options === false ? never : { ...defaults, ...options };
}

/**
 * Milliseconds until the next attempt; null: there is none.
 * A refusal that names its time (429, 503, a command that is still undecided) has done nothing and may be repeated
 * whatever the operation is. After a lost connection it is not known what was done: only what is `repeatable` is sent again.
 *
 * @param attempt how many were made
 * @param waited milliseconds before those
 */
export function pauseBefore(
  failure: Failure,
  repeatable: boolean,
  attempt: number,
  waited: number,
  { attempts, maxWaitMs }: RetryPolicy,
): number | null {
  if (attempt >= attempts) return null;
  const asked =
    failure.code === "unreachable" ? unreachablePause(repeatable, attempt) : refusedPause(failure, repeatable);
  if (asked === null || waited + asked > maxWaitMs) return null;
  return Math.min(apart(asked), maxWaitMs - waited);
}

/** Somewhat longer than so many milliseconds. */
export const apart = (ms: number): number => ms * (1 + Math.random() * spread);

const unreachablePause = (repeatable: boolean, attempt: number): number | null =>
  repeatable ? firstPauseMs * 2 ** (attempt - 1) : null;

function refusedPause(failure: Failure, repeatable: boolean): number | null {
  const { status, code, retryAfter } = failure;
  if (retryAfter === null || (status !== 429 && status !== 503 && code !== "command_uid_pending")) return null;
  // It may come from something in between that has passed the request on before.
  if (code === "unexpected_answer" && !repeatable) return null;
  // To the millisecond where the gateway says so; the header has whole seconds.
  return code === "command_rate_limited" ? failure.detail.retry_after_ms : retryAfter * 1000;
}

/** @throws the reason of the signal, at once when it is aborted */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const aborted = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", aborted);
      resolve();
    }, ms);
    signal?.addEventListener("abort", aborted, { once: true });
  });
}
