/** Server-sent events (WHATWG HTML, section 9.2), as far as the gateway sends them. */

export interface ServerSentEvent {
  /** Of the last event that had one. */
  readonly id: string;
  readonly data: string;
}

/** Characters of one event, and of one line. Webhooks are far smaller. */
const longest_chars = 8 * 1024 * 1024;

/** Takes the text of a stream as it comes, piece by piece. */
export class EventParser {
  /** Milliseconds after which the server wants a reader that lost it back; null: it has not said. */
  retryMs: number | null = null;
  #id = "";
  #data: string[] = [];
  #size = 0;
  /** Of a line whose end is still to come. */
  #rest = "";
  #first = true;

  /**
   * @returns the events that are whole now
   * @throws RangeError one that is longer than any webhook
   */
  take(text: string): ServerSentEvent[] {
    const all = this.#rest + (this.#first ? text.replace(/^\uFEFF/, "") : text);
    if (text !== "") this.#first = false;
    // A carriage return at the end may be half of a line's end.
    const held = all.endsWith("\r") ? 1 : 0;
    const lines = all.slice(0, all.length - held).split(/\r\n|\n|\r/);
    this.#rest = (lines.pop() ?? "") + all.slice(all.length - held);
    if (this.#size + this.#rest.length > longest_chars) throw new RangeError("an event of the stream is too long");
    return lines.flatMap((line) => this.#line(line) ?? []);
  }

  #line(line: string): ServerSentEvent | null {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") {
      this.#data.push(value);
      this.#size += value.length + 1;
    } else if (field === "id" && !value.includes("\0")) this.#id = value;
    else if (field === "retry" && /^\d{1,9}$/.test(value)) this.retryMs = Number(value);
    return null;
  }

  #dispatch(): ServerSentEvent | null {
    const data = this.#data.join("\n");
    const empty = this.#data.length === 0;
    this.#data = [];
    this.#size = 0;
    return empty ? null : { id: this.#id, data };
  }
}
