/** Messages out of a byte stream by their Content-Length (RFC 3261 section 18.3). */
import { contentLength, headEnd, leadingLines, limits, readHead } from "./message";

const capacity = limits.head + limits.body;

export interface Frame {
  /** A whole message, or as much of one as is needed to refuse it. */
  readonly message: Buffer;
  /** What follows cannot be told apart: the stream ends here. */
  readonly last: boolean;
}

/**
 * Keeps at most one unfinished message. Bytes are looked at once, in whatever pieces they come; the store grows by
 * doubling, so that a message sent byte by byte costs no more than one sent whole.
 */
export class Framing {
  #bytes = Buffer.alloc(0);
  #length = 0;
  /** Up to where no end of a head was found. */
  #scanned = 0;
  /** Length of the whole message, once its head is there. */
  #wanted = 0;
  /** Bytes of CR and LF since the last message or keep-alive. */
  #blank = 0;
  #pinged = false;
  #broken = false;

  /** Bytes of an unfinished message. */
  get pending(): number {
    return this.#length;
  }

  /** Takes a piece of the stream and gives what it completed. */
  push(chunk: Buffer): Frame[] {
    const frames: Frame[] = [];
    let at = 0;
    while (at < chunk.length && !this.#broken) {
      // Never more than the capacity is stored: a longer chunk is taken in turns.
      const taken = chunk.subarray(at, at + capacity - this.#length);
      at += taken.length;
      this.#append(taken);
      for (let frame = this.#next(); frame; frame = this.#next()) frames.push(frame);
    }
    return frames;
  }

  /** Was there a keep-alive (RFC 5626 section 4.4.1: two CRLF between messages) since the last question? */
  pinged(): boolean {
    const pinged = this.#pinged;
    if (pinged) this.#blank = 0;
    this.#pinged = false;
    return pinged;
  }

  #append(chunk: Buffer): void {
    const length = this.#length + chunk.length;
    if (length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.min(capacity, Math.max(length, 2 * this.#bytes.length, 2048)));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    chunk.copy(this.#bytes, this.#length);
    this.#length = length;
  }

  #drop(count: number): void {
    this.#bytes.copyWithin(0, count, this.#length);
    this.#length -= count;
    this.#scanned = 0;
    this.#wanted = 0;
    if (this.#length === 0) this.#bytes = Buffer.alloc(0);
  }

  #next(): Frame | null {
    if (this.#broken || this.#length === 0) return null;
    if (this.#wanted === 0) {
      const blank = leadingLines(this.#bytes.subarray(0, this.#length));
      if (blank > 0) this.#drop(blank);
      // Counted over pieces: of the two CRLF the second may come later.
      this.#blank += blank;
      if (this.#blank >= 4) this.#pinged = true;
      if (this.#length === 0) return null;
      const end = headEnd(this.#bytes.subarray(0, this.#length), Math.max(0, this.#scanned - 3));
      this.#scanned = this.#length;
      if (end > limits.head || (end < 0 && this.#length >= limits.head)) return this.#break(limits.head);
      if (end < 0) return null;
      const head = readHead(this.#bytes.toString("latin1", 0, end - 4));
      const body = head && contentLength(head.headers);
      // Without a length nobody knows where the next message begins.
      if (body === null || !(body <= limits.body)) return this.#break(end);
      this.#wanted = end + body;
    }
    if (this.#length < this.#wanted) return null;
    const message = Buffer.from(this.#bytes.subarray(0, this.#wanted));
    this.#drop(this.#wanted);
    this.#blank = 0;
    return { message, last: false };
  }

  #break(length: number): Frame {
    this.#broken = true;
    const message = Buffer.from(this.#bytes.subarray(0, length));
    this.#drop(this.#length);
    return { message, last: true };
  }
}
