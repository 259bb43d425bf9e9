/** The live events of an app: one stream after the other, each from where the one before broke off. */
import { parseEvent, type WebhookEvent } from "./event";
import type { Failure, Outcome } from "./operation";
import { apart, pause } from "./retry";
import { EventParser, type ServerSentEvent } from "./stream";

export interface EventsOptions {
  /** Only events of this call. */
  readonly session_uuid?: string;
  /** `webhookId` of the last event that was seen: what came since is told first, as far as the gateway keeps it. */
  readonly lastEventId?: string;
  /** Ends the stream; its reason is thrown. `break` ends it as well. */
  readonly signal?: AbortSignal;
}

/** The stream cannot go on: `failure` says why, as the outcome of a call would. */
export class EventStreamError extends Error {
  override readonly name = "EventStreamError";
  readonly failure: Failure<"streamEvents">;

  constructor(failure: Failure<"streamEvents">) {
    super(`${failure.message} (${failure.code})`);
    this.failure = failure;
  }
}

/** Opens the stream once, after the event of this id. */
export type OpenStream = (lastEventId: string, signal: AbortSignal) => Promise<Outcome<"streamEvents">>;

/** Attempts one after the other that bring no stream, before it is given up. */
const most_failures = 10;
const firstPauseMs = 500;
const longestPauseMs = 30_000;
/** The gateway breaks a silence every 15 seconds. */
const silenceMs = 60_000;

/**
 * @throws EventStreamError a refusal that waiting does not mend, or too many failures in a row; the reason of the signal
 */
export async function* liveEvents(open: OpenStream, options: EventsOptions): AsyncGenerator<WebhookEvent, never, void> {
  const { signal, lastEventId = "" } = options;
  let position = lastEventId;
  let failures = 0;
  for (;;) {
    signal?.throwIfAborted();
    const connection = new AbortController();
    const opened = await open(position, signal ? AbortSignal.any([signal, connection.signal]) : connection.signal);
    let back: number;
    if (opened.error) {
      const { status, retryAfter } = opened.error;
      if (++failures >= most_failures || !isPassing(status)) throw new EventStreamError(opened.error);
      back = Math.max((retryAfter ?? 0) * 1000, firstPauseMs * 2 ** failures);
    } else {
      failures = 0;
      const parser = new EventParser();
      try {
        for await (const { id, data } of sentEvents(opened.data, parser)) {
          const event = parseEvent(data, id);
          position = id;
          if (event) yield event;
        }
      } finally {
        connection.abort();
      }
      back = parser.retryMs ?? firstPauseMs;
    }
    await pause(Math.min(apart(back), longestPauseMs), signal);
  }
}

const isPassing = (status: number | null): boolean => status === null || status === 429 || status >= 500;

/** Until the connection ends, breaks, or is silent for too long: all of that is for the next one to mend. */
async function* sentEvents(stream: ReadableStream<Uint8Array>, parser: EventParser): AsyncGenerator<ServerSentEvent> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  for (let piece = await next(reader); piece !== null; piece = await next(reader))
    yield* parser.take(decoder.decode(piece, { stream: true }));
}

async function next(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), silenceMs);
  });
  try {
    const piece = await Promise.race([reader.read(), silence]);
    return piece?.value ?? null;
  } catch {
    // Broken, or ended by the caller, who is told so before the next attempt.
    return null;
  } finally {
    clearTimeout(timer);
  }
}
