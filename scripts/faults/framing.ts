/** Which bytes of a connection belong to one body (RFC 9112, section 6), found while they pass. */
import { type Field, field } from "./message";

/** `close`: up to the end of the connection. `unclear`: nobody should guess. */
export type Framing = { readonly length: number } | "chunked" | "close" | "unclear";

/** The framing of a request, or of an answer that has a body. */
export function framingOf(fields: readonly Field[], without: Framing): Framing {
  const all = (name: string) => fields.filter(([each]) => each.toLowerCase() === name);
  const codings = all("transfer-encoding");
  const lengths = all("content-length");
  if (codings.length > 0)
    return lengths.length === 0 && field({ fields }, "transfer-encoding")?.toLowerCase() === "chunked"
      ? "chunked"
      : "unclear";
  if (lengths.length === 0) return without;
  const value = lengths[0]?.[1] ?? "";
  return lengths.length === 1 && /^\d{1,15}$/.test(value) ? { length: Number(value) } : "unclear";
}

/** Goes along a body, piece by piece. */
export class Body {
  /** What it carries, without the framing. Only kept when asked for. */
  readonly decoded: Buffer[] = [];
  over = false;
  /** It is not framed as it should be: where it ends cannot be said. */
  broken = false;
  #left: number;
  /** Of a chunked body: the line that has begun; null within a chunk. */
  #line: string | null = null;
  #trailers = false;

  constructor(
    private readonly framing: Framing,
    private readonly keeps: boolean,
  ) {
    this.#left = typeof framing === "object" ? framing.length : framing === "close" ? Number.POSITIVE_INFINITY : 0;
    if (framing === "chunked") this.#line = "";
    this.over = typeof framing === "object" && framing.length === 0;
    this.broken = framing === "unclear";
  }

  /** @returns how many of these bytes belong to it */
  push(bytes: Buffer): number {
    let at = 0;
    while (at < bytes.length && !this.over && !this.broken) at = this.#step(bytes, at);
    return at;
  }

  #step(bytes: Buffer, at: number): number {
    if (this.#line === null) {
      const end = Math.min(bytes.length, at + this.#left);
      if (this.keeps) this.decoded.push(Buffer.from(bytes.subarray(at, end)));
      this.#left -= end - at;
      if (this.#left === 0 && this.framing === "chunked") this.#line = "\r\n";
      else this.over = this.#left === 0;
      return end;
    }
    const feed = bytes.indexOf(10, at);
    const end = feed < 0 ? bytes.length : feed + 1;
    this.#line += bytes.toString("latin1", at, end);
    if (this.#line.length > 4096) this.broken = true;
    else if (feed >= 0) this.#endOfLine(this.#line);
    return end;
  }

  #endOfLine(line: string): void {
    // The line after a chunk's data is empty; it was begun as "\r\n" to be told from a size.
    if (line === "\r\n\r\n") this.#line = "";
    else if (this.#trailers) {
      this.over = line === "\r\n";
      this.#line = "";
    } else {
      const [, size] = /^([0-9A-Fa-f]{1,12})(?:[ \t]*;.*)?\r\n$/.exec(line) ?? [];
      if (size === undefined) this.broken = true;
      else if (Number.parseInt(size, 16) === 0) {
        this.#trailers = true;
        this.#line = "";
      } else {
        this.#left = Number.parseInt(size, 16);
        this.#line = null;
      }
    }
  }
}
