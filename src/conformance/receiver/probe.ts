/**
 * The probe of a receiver: how the kit sees whether each event took effect once. It is optional, and only for tests.
 *
 * `GET <probe url>` answers 200 with JSON: how often each event took effect, by its `webhook-id`.
 *
 * ```
 * {"effects": {"acW68-f47ac10b-58cc-4372-a567-0e02b2c3d479.1": 1}}
 * ```
 *
 * What took no effect may be missing or 0. An effect is what the application does because of an event: a row that it
 * writes, a command that it sends. It counts where that is done, not where a request comes in. It may happen after the
 * answer, within {@link effectMs}. The last 10 000 events are enough.
 */
import { setTimeout as delay } from "node:timers/promises";
import { Broken, Unreachable } from "../check";

/** An effect that is not there by then is none. */
export const effectMs = 5000;
/** Between two looks. */
const lookMs = 150;
const answerMs = 5000;
const maxBytes = 4 << 20;

export type Effects = ReadonlyMap<string, number>;

export class Probe {
  constructor(readonly url: string) {}

  /** @throws Unreachable when it is no probe */
  async open(): Promise<void> {
    try {
      await this.read();
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      const { expected, got } = error.evidence;
      throw new Unreachable(`The probe does not work: ${got}, not ${expected}.`);
    }
  }

  /** @throws Broken when it does not answer as a probe */
  async read(): Promise<Effects> {
    const expected = `200 and {"effects": {…}} of GET ${this.url}`;
    let got: string;
    try {
      const response = await fetch(this.url, { signal: AbortSignal.timeout(answerMs), redirect: "error" });
      const text = await limited(response);
      const effects = response.status === 200 ? effectsOf(text) : null;
      if (effects) return effects;
      got = `${response.status} ${JSON.stringify(text.slice(0, 200))}`;
    } catch (error) {
      // Whatever kept it from answering: that is what is told.
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      got = cause instanceof Error ? cause.message : String(cause);
    }
    throw new Broken({ expected, got });
  }

  /** The effects as soon as these events have theirs, or when it is too late for that. */
  async settled(ids: readonly string[]): Promise<Effects> {
    const until = performance.now() + effectMs;
    for (;;) {
      const effects = await this.read();
      if (ids.every((id) => (effects.get(id) ?? 0) > 0) || performance.now() > until) return effects;
      await delay(lookMs);
    }
  }
}

async function limited(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  while (reader && size <= maxBytes) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    size += value.length;
  }
  await reader?.cancel();
  return Buffer.concat(chunks).toString("utf8");
}

/** Null: it is no answer of a probe. */
function effectsOf(text: string): Effects | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  if (typeof value !== "object" || value === null || !("effects" in value)) return null;
  const { effects } = value;
  if (typeof effects !== "object" || effects === null) return null;
  const counts = new Map<string, number>();
  for (const [id, count] of Object.entries(effects)) {
    if (!Number.isInteger(count) || count < 0) return null;
    counts.set(id, count);
  }
  return counts;
}
