/** The body of an answer that comes bit by bit: as fast as it is read, and ended with its reader. */
import type { IncomingMessage, ServerResponse } from "node:http";

/** What a handler answers where the document says `format: stream`. */
export type Source = AsyncIterable<Uint8Array | string>;
export type Chunks = AsyncIterator<Uint8Array | string>;

/**
 * How long a reader may take nothing. Longer than the source of a stream without an end waits before it says goodbye: only
 * one who does not read at all is cut off here.
 */
const stalled_ms = 15_000;

export function isSource(body: unknown): body is Source {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}

/**
 * A stream whose length is known is an answer like any other, and only longer. One without a length has no end of its own:
 * a client that has closed its side has left, and the end of the gateway is its end.
 */
export class Stream {
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #source: Chunks;
  readonly #first: IteratorResult<Uint8Array | string>;
  /** It has no length, and no end of its own. */
  readonly endless: boolean;
  #stopped = false;
  #returned: Promise<void> | null = null;
  /** Goes on after a wait for the reader; null: nobody waits. */
  #drained: (() => void) | null = null;

  /**
   * @param res its head is out
   * @param first what the source gave first
   */
  constructor(
    req: IncomingMessage,
    res: ServerResponse,
    source: Chunks,
    first: IteratorResult<Uint8Array | string>,
    endless: boolean,
  ) {
    this.#req = req;
    this.#res = res;
    this.#source = source;
    this.#first = first;
    this.endless = endless;
    // A byte too much would be taken for the next answer, one too few would be waited for: Node throws instead.
    res.strictContentLength = !endless;
  }

  /**
   * Resolves when the reader has got everything that there was, or has left.
   *
   * @throws what the source throws; the connection is cut off then, since nothing else tells the reader
   */
  async flow(): Promise<void> {
    const { socket } = this.#req;
    const stop = () => this.#stop();
    // Not of the response: one that waits behind another on its connection does not hear that this was closed.
    socket.once("close", stop);
    if (this.endless) socket.once("end", stop);
    if (socket.destroyed || (this.endless && socket.readableEnded)) stop();
    // A body that nobody reads would keep the end of the connection from being seen.
    this.#req.resume();
    try {
      await this.#write();
      await this.#returned;
      if (!socket.destroyed) this.#res.end();
    } catch (error) {
      // What came before waits in the socket until this turn is over: only then it is written before the end.
      await new Promise((resolve) => setImmediate(resolve));
      socket.destroySoon();
      throw error;
    } finally {
      socket.off("close", stop);
      socket.off("end", stop);
    }
  }

  /** The gateway closes: a stream that has no end gets one, any other has its time. */
  end(): void {
    if (!this.endless) return;
    // What waits behind bytes that are not read is not worth waiting for.
    if (this.#drained) this.#res.destroy();
    this.#stop();
  }

  async #write(): Promise<void> {
    for (let next = this.#first; !next.done && !this.#stopped; next = await this.#source.next()) {
      if (!this.#res.write(next.value)) await this.#drain();
      if (this.#stopped) return;
    }
  }

  #drain(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#res.destroy(), stalled_ms);
      const go = () => {
        clearTimeout(timer);
        this.#drained = null;
        this.#res.off("drain", go);
        resolve();
      };
      this.#drained = go;
      this.#res.once("drain", go);
    });
  }

  #stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#returned = this.#finish();
    // Whoever awaits it learns of a failure; until then nobody need.
    this.#returned.catch(() => undefined);
    this.#drained?.();
  }

  async #finish(): Promise<void> {
    await this.#source.return?.();
  }
}
