/** The recordings whose files are not closed yet, those that are just opened, and what is told of their ends. */
import type { RecordCommand, Report } from "./messages";
import { Recording } from "./recording";

type Begin = Extract<RecordCommand, { do: "record" }>;

export class Recordings {
  /** By id: null while its file is opened. */
  readonly #open = new Map<string, Recording | null>();
  /** Files that are made or written. */
  readonly #busy = new Set<Promise<unknown>>();
  readonly #report: (report: Report) => void;

  constructor(report: (report: Report) => void) {
    this.#report = report;
  }

  /**
   * Makes the file; its end is told once it is closed. Null: it was discarded meanwhile.
   * @throws when the file exists, or cannot be made
   */
  async begin({ call, recording_id, path, max_ms }: Begin): Promise<Recording | null> {
    this.#open.set(recording_id, null);
    const begun = Recording.begin(path, max_ms);
    this.#wait(begun);
    let recording: Recording;
    try {
      recording = await begun;
    } catch (error) {
      this.#open.delete(recording_id);
      throw error;
    }
    if (this.#open.has(recording_id)) this.#open.set(recording_id, recording);
    else recording.discard();
    this.#wait(recording.closed.then((failure) => this.#closed(call, recording_id, recording, failure)));
    return recording.discarded ? null : recording;
  }

  /** The file is removed, and nothing is told of it. */
  discard(recording_id: string): void {
    this.#open.get(recording_id)?.discard();
    this.#open.delete(recording_id);
  }

  /** Resolves once all files are closed whose recordings have ended. */
  async settled(): Promise<void> {
    while (this.#busy.size > 0) await Promise.allSettled(this.#busy);
  }

  #closed(call: string, recording_id: string, recording: Recording, failure: string | null): void {
    this.#open.delete(recording_id);
    if (!recording.discarded) this.#report({ tell: "recorded", call, recording_id, failure });
    else if (failure !== null) this.#report({ tell: "trouble", call, reason: failure });
  }

  #wait(work: Promise<unknown>): void {
    const done = () => this.#busy.delete(work);
    this.#busy.add(work);
    work.then(done, done);
  }
}
