/** One attempt to deliver one event: signed now, sent once, its outcome told. */
import { discard, Outbound, RequestError } from "../outbound/request";
import type { Taken } from "../store/store";
import { sign } from "./signature";
import type { Outcome } from "./verdict";

/** The whole attempt: name, connection, request and what is read of the answer. */
export const attemptMs = 5000;
/** Of the answer. */
const maxAnswerBytes = 64 * 1024;
const parsedAtMost = 1000;

export class Attempts {
  readonly #outbound: Outbound;
  readonly #now: () => number;
  /** Null is a URL that cannot be parsed. */
  readonly #urls = new Map<string, URL | null>();

  constructor(options: { readonly allowLocalhost: boolean; readonly now: () => number }) {
    this.#outbound = new Outbound({ allowLocal: options.allowLocalhost });
    this.#now = options.now;
  }

  /** Never rejects for anything that a receiver does; null: ended by `close`, so it may or may not have arrived. */
  async make(taken: Taken): Promise<Outcome | null> {
    const { event, secrets, webhook_url } = taken;
    const url = this.#parse(webhook_url);
    if (url === null) return { failure: "unreachable", code: "ERR_INVALID_URL" };
    const timestamp = Math.floor(this.#now() / 1000);
    try {
      return await this.#outbound.exchange(
        {
          method: "POST",
          url,
          headers: {
            "Content-Type": "application/json",
            "User-Agent": "Voicegate",
            "webhook-id": event.id,
            "webhook-timestamp": String(timestamp),
            "webhook-signature": sign(secrets, event.id, timestamp, event.body),
          },
          body: event.body,
          deadlineMs: attemptMs,
        },
        async (answer) => {
          await discard(answer, maxAnswerBytes);
          return { status: answer.statusCode ?? 0, retry_after: answer.headers["retry-after"] };
        },
      );
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      return error.reason === "aborted" ? null : { failure: error.reason, code: error.code };
    }
  }

  /** Ends what is under way and every connection. */
  close(): void {
    this.#outbound.close();
  }

  #parse(text: string): URL | null {
    const known = this.#urls.get(text);
    if (known !== undefined) return known;
    const url = URL.canParse(text) ? new URL(text) : null;
    if (this.#urls.size >= parsedAtMost) this.#urls.clear();
    this.#urls.set(text, url);
    return url;
  }
}
