/** One event of FreeSWITCH. */
import { FramingError, type Head, parseHead } from "./frames";

export class FreeswitchEvent {
  readonly #head: Head;
  /** Of a BACKGROUND_JOB, say: what was written as its body. */
  readonly body: string;

  private constructor(head: Head, body: string) {
    this.#head = head;
    this.body = body;
  }

  /**
   * @param text the body of a `text/event-plain` frame, or the answer of `uuid_dump`
   * @throws FramingError
   */
  static parse(text: string): FreeswitchEvent {
    const end = text.indexOf("\n\n");
    const head = parseHead(end < 0 ? text.trimEnd() : text.slice(0, end));
    if (!head.has("Event-Name")) throw new FramingError("an event without a name");
    return new FreeswitchEvent(head, end < 0 ? "" : text.slice(end + 2));
  }

  /** `CUSTOM` has its own name in `Event-Subclass`. */
  get name(): string {
    return this.get("Event-Name");
  }

  /** The channel that it is about; empty when it is about none. */
  get channel(): string {
    return this.get("Unique-ID");
  }

  /** Decoded; empty when there is none. */
  get(name: string): string {
    return percentDecoded(this.#head.get(name) ?? "");
  }

  /** A number of at least 0; null when there is none. */
  number(name: string): number | null {
    const text = this.#head.get(name) ?? "";
    return /^\d{1,15}$/.test(text) ? Number(text) : null;
  }
}

const encoded = /(?:%[0-9A-Fa-f]{2})+/g;

/**
 * FreeSWITCH does not encode a `%` that two hexadecimal digits follow: a literal `%41` is read as `A`. Nothing that is
 * decided upon here can hold one.
 */
export function percentDecoded(value: string): string {
  if (!value.includes("%")) return value;
  return value.replace(encoded, (run) => Buffer.from(run.replaceAll("%", ""), "hex").toString("utf8"));
}
