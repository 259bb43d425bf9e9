/** How long somebody is ready to wait. */
import { performance } from "node:perf_hooks";
import { MediaError } from "./error";

export interface Patience {
  readonly signal: AbortSignal;
  /** Monotonic milliseconds. */
  readonly until: number;
  /** Told when the wait for room begins. */
  readonly waits: () => void;
}

/**
 * Waits for what others are at. It is not stopped when the patience is over.
 * @throws MediaError `timeout`; the reason of the signal once it aborts; what the promise rejects with
 */
export function within<T>(promise: Promise<T>, { signal, until }: Omit<Patience, "waits">): Promise<T> {
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise<T>((resolve, reject) => {
    const settle =
      <V>(finish: (value: V) => void) =>
      (value: V): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
        finish(value);
      };
    const onAbort = (): void => settle(reject)(signal.reason);
    const timer = setTimeout(() => settle(reject)(new MediaError("timeout")), until - performance.now());
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(settle(resolve), settle(reject));
  });
}
