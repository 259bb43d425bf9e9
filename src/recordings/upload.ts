/** Recordings to where the operator wants them: one `PUT` each, streamed from the disk. */
import { createReadStream } from "node:fs";
import { discard, Outbound, RequestError } from "../outbound/request";

/** For the whole attempt, and what each byte adds to it: 64 KiB per second is the slowest that is waited for. */
const attemptMs = 10_000;
const bytesPerMs = 64;
/** Nothing moves: neither does the other side read, nor does it answer. */
const idleMs = 15_000;
/** Of the answer. */
const maxAnswerBytes = 64 * 1024;

export interface UploadAttempt {
  /** `uploaded`, or why not, for the log: the status, or the reason of the failure. */
  readonly outcome: string;
  /** `Retry-After` of the answer. */
  readonly retry_after: string | null;
}

export class Uploads {
  readonly #base: URL;
  readonly #outbound = new Outbound({ allowLocal: true });

  /** @param url the operator's, so it may be a local one; it may hold credentials, and a query that goes with each request */
  constructor(url: string) {
    this.#base = new URL(url);
  }

  /** Where it lies then, without anything that would let somebody in. */
  shown(app_id: string, recording_id: string): string {
    const url = this.#target(app_id, recording_id);
    url.username = "";
    url.password = "";
    url.search = "";
    url.hash = "";
    return url.href;
  }

  /**
   * One attempt. Rejects only when `signal` or `close` ended it.
   * @param bytes of the file
   */
  async put(
    file: { readonly app_id: string; readonly recording_id: string; readonly path: string; readonly bytes: number },
    signal: AbortSignal,
  ): Promise<UploadAttempt> {
    const { app_id, recording_id, path, bytes } = file;
    try {
      return await this.#outbound.exchange(
        {
          method: "PUT",
          url: this.#target(app_id, recording_id),
          headers: { "Content-Type": "audio/wav", "Content-Length": bytes, "User-Agent": "Voicegate" },
          body: () => createReadStream(path, { end: bytes - 1 }),
          deadlineMs: attemptMs + Math.ceil(bytes / bytesPerMs),
          idleMs,
          signal,
        },
        async (answer): Promise<UploadAttempt> => {
          await discard(answer, maxAnswerBytes);
          const { statusCode: status = 0 } = answer;
          const outcome = status >= 200 && status <= 299 ? "uploaded" : String(status);
          return { outcome, retry_after: answer.headers["retry-after"] ?? null };
        },
      );
    } catch (error) {
      if (error instanceof RequestError && error.reason === "aborted") throw error;
      // Also what the disk says.
      return { outcome: error instanceof Error ? error.message : String(error), retry_after: null };
    }
  }

  /** Ends what is under way. */
  close(): void {
    this.#outbound.close();
  }

  #target(app_id: string, recording_id: string): URL {
    const url = new URL(this.#base);
    url.pathname = `${url.pathname.replace(/\/+$/, "")}/${app_id}/${recording_id}.wav`;
    return url;
  }
}
