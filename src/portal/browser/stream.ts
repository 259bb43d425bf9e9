/** The app's events as they come: `GET /api/v1/events`, read as HTML's event streams have it, with headers of one's own. */

/** The body of a webhook. */
export interface StreamedEvent {
  readonly event: string;
  readonly sequence: number;
  readonly timestamp: string;
  readonly session_uuid?: string;
  readonly room_id?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Listener {
  event(event: StreamedEvent): void;
  /** It has ended, by whichever side. */
  ended(why: string): void;
}

/** More of one event than the gateway ever sends. */
const longest = 1 << 20;

export class EventStream {
  #abort: AbortController | null = null;
  #lastId = "";

  constructor(private readonly listener: Listener) {}

  get open(): boolean {
    return this.#abort !== null;
  }

  /**
   * Resolves once the gateway has begun to answer: no event that comes later is missed. Goes on after the last one that was seen.
   *
   * @throws when it answers something else
   */
  async listen(headers: Readonly<Record<string, string>>): Promise<void> {
    if (this.#abort) return;
    const abort = new AbortController();
    this.#abort = abort;
    try {
      const answer = await fetch("/api/v1/events", {
        headers: { ...headers, ...(this.#lastId !== "" && { "Last-Event-ID": this.#lastId }) },
        signal: abort.signal,
        cache: "no-store",
      });
      if (!answer.ok || !answer.body) throw new Error(`${answer.status} ${await answer.text()}`);
      void this.#read(answer.body.getReader(), abort);
    } catch (error) {
      if (this.#abort === abort) this.#abort = null;
      throw error;
    }
  }

  /** Of another app nothing of this one's is asked for. */
  close(): void {
    this.#abort?.abort();
    this.#abort = null;
    this.#lastId = "";
  }

  async #read(reader: ReadableStreamDefaultReader<Uint8Array>, abort: AbortController): Promise<void> {
    const decoder = new TextDecoder();
    let text = "";
    let why = "The gateway has ended the stream; the next request opens it again.";
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        text += decoder.decode(value, { stream: true }).replaceAll("\r\n", "\n");
        const blocks = text.split("\n\n");
        text = blocks.pop() ?? "";
        for (const block of blocks) this.#take(block);
        if (text.length > longest) throw new Error("an event without an end");
      }
    } catch (error) {
      why = `The stream broke off (${error instanceof Error ? error.message : error}); the next request opens it again.`;
    }
    if (this.#abort !== abort) return;
    this.#abort = null;
    this.listener.ended(why);
  }

  #take(block: string): void {
    const data: string[] = [];
    let id: string | null = null;
    for (const line of block.split("\n")) {
      const [, name, value = ""] = /^(data|id): ?(.*)$/.exec(line) ?? [];
      if (name === "data") data.push(value);
      if (name === "id") id = value;
    }
    if (data.length === 0) return;
    const event: unknown = JSON.parse(data.join("\n"));
    if (!isEvent(event)) return;
    if (id !== null) this.#lastId = id;
    this.listener.event(event);
  }
}

function isEvent(value: unknown): value is StreamedEvent {
  if (typeof value !== "object" || value === null) return false;
  return (
    "event" in value &&
    "sequence" in value &&
    "timestamp" in value &&
    "data" in value &&
    typeof value.data === "object" &&
    value.data !== null
  );
}
