/**
 * What comes over the event socket of FreeSWITCH: frames of a head (`Name: value` lines up to an empty line) and, where the
 * head has a Content-Length, a body of so many bytes. Of an event the body is another such head, percent-encoded, and may
 * have a body of its own.
 */

/** What came is not the event socket's protocol, or more of it than anybody can want. */
export class FramingError extends Error {
  override readonly name = "FramingError";
}

export interface Frame {
  readonly head: Head;
  readonly body: Buffer;
}

/** Values by their names, as they were written. Of a name that comes twice the first value counts: FreeSWITCH's own come first. */
export type Head = ReadonlyMap<string, string>;

export interface FrameLimits {
  readonly headBytes: number;
  readonly bodyBytes: number;
}

/** An event has some 9 KB, the longest answer, all channels of a big server, some 1.2 KB for each of them. */
export const frameLimits: FrameLimits = { headBytes: 64 * 1024, bodyBytes: 24 * 1024 * 1024 };

const headEnd = Buffer.from("\n\n");
const newline = 0x0a;

/** Cuts what arrives into frames. */
export class FrameReader {
  readonly #limits: FrameLimits;
  /** What has arrived and is not read yet, in pieces: they are joined once there is enough of them. */
  #pieces: Buffer[] = [];
  #bytes = 0;
  /** The head whose body is awaited. */
  #head: Head | null = null;
  #wanted = 0;

  constructor(limits: FrameLimits = frameLimits) {
    this.#limits = limits;
  }

  /** In the middle of a frame? */
  get unfinished(): boolean {
    return this.#bytes > 0 || this.#head !== null;
  }

  /** @throws FramingError; nothing that comes afterwards makes sense */
  push(piece: Buffer): Frame[] {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    const frames: Frame[] = [];
    for (let frame = this.#next(); frame !== null; frame = this.#next()) frames.push(frame);
    return frames;
  }

  #next(): Frame | null {
    if (this.#head === null) {
      const head = this.#readHead();
      if (head === null) return null;
      this.#head = head;
      this.#wanted = contentLength(head, this.#limits.bodyBytes);
    }
    if (this.#bytes < this.#wanted) return null;
    const frame = { head: this.#head, body: this.#take(this.#wanted) };
    this.#head = null;
    return frame;
  }

  #readHead(): Head | null {
    let empty = 0;
    const arrived = this.#joined();
    // Empty lines between two frames say nothing.
    while (arrived[empty] === newline) empty++;
    this.#take(empty);
    const bytes = this.#joined();
    const end = bytes.indexOf(headEnd);
    const length = end < 0 ? bytes.length : end;
    if (length > this.#limits.headBytes) throw new FramingError(`a head of more than ${this.#limits.headBytes} bytes`);
    if (end < 0) {
      // What has no line that could be one of a head never will be one: a banner of another protocol.
      firstLineOf(bytes);
      return null;
    }
    const head = parseHead(bytes.toString("utf8", 0, end));
    this.#take(end + headEnd.length);
    return head;
  }

  #joined(): Buffer {
    const [first, ...others] = this.#pieces;
    if (first === undefined) return Buffer.alloc(0);
    if (others.length === 0) return first;
    const joined = Buffer.concat(this.#pieces);
    this.#pieces = [joined];
    return joined;
  }

  #take(count: number): Buffer {
    if (count === 0) return Buffer.alloc(0);
    const bytes = this.#joined();
    const rest = bytes.subarray(count);
    this.#pieces = rest.length > 0 ? [rest] : [];
    this.#bytes = rest.length;
    return bytes.subarray(0, count);
  }
}

/** @throws FramingError */
export function parseHead(text: string): Head {
  const head = new Map<string, string>();
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (colon <= 0) throw new FramingError("a line of a head without a name");
    const name = line.slice(0, colon);
    const value = line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (!head.has(name)) head.set(name, value);
  }
  return head;
}

function firstLineOf(bytes: Buffer): void {
  const end = bytes.indexOf(newline);
  if (end >= 0) parseHead(bytes.toString("utf8", 0, end));
}

function contentLength(head: Head, most: number): number {
  const text = head.get("Content-Length");
  if (text === undefined) return 0;
  if (!/^\d{1,10}$/.test(text)) throw new FramingError("a Content-Length that is no number");
  const length = Number(text);
  if (length > most) throw new FramingError(`a body of ${length} bytes, more than ${most}`);
  return length;
}
