/** One webhook to a receiver, as the gateway would send it. */

/** What became of it. */
export interface Answered {
  /** Null: there was no answer. */
  readonly status: number | null;
  readonly ms: number;
  /** Why there was none. */
  readonly error?: string;
  /** How the body of an answer begins that was no 2xx. */
  readonly body?: string;
}

/** Of an attempt, as the gateway's. */
const attemptMs = 5000;
const shownBytes = 500;

/** @param signature of id, timestamp in seconds, and body */
export type Signature = (id: string, timestamp: number, body: string) => string;

/** Never rejects: what went wrong is part of what became of it. Redirects are not followed, as the gateway follows none. */
export async function post(url: string, id: string, body: string, signature: Signature): Promise<Answered> {
  const timestamp = Math.floor(Date.now() / 1000);
  const headers = {
    "Content-Type": "application/json; charset=utf-8",
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": signature(id, timestamp, body),
  };
  const began = performance.now();
  const elapsed = () => Math.round(performance.now() - began);
  try {
    const signal = AbortSignal.timeout(attemptMs);
    const response = await fetch(url, { method: "POST", headers, body, signal, redirect: "manual" });
    const ms = elapsed();
    if (response.ok) {
      await response.body?.cancel();
      return { status: response.status, ms };
    }
    return { status: response.status, ms, body: await beginning(response) };
  } catch (error) {
    return { status: null, ms: elapsed(), error: reasonOf(error) };
  }
}

async function beginning(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  const pieces: Uint8Array[] = [];
  let size = 0;
  while (reader && size < shownBytes) {
    const { value, done } = await reader.read();
    if (done) break;
    pieces.push(value);
    size += value.length;
  }
  await reader?.cancel();
  return Buffer.concat(pieces).toString("utf8", 0, Math.min(size, shownBytes));
}

/** Node's `fetch` says only that it failed, and why in its cause. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer within ${attemptMs / 1000} s`;
  const { cause } = error;
  if (cause instanceof AggregateError) return cause.errors.map(reasonOf).join("; ");
  return cause instanceof Error ? cause.message || cause.name : error.message;
}
