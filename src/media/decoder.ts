/** The decoding thread, seen from outside: jobs in, samples or a reason out, whatever becomes of the thread. */
import path from "node:path";
import { Worker } from "node:worker_threads";
import type { Log } from "../log";
import type { DecodeJob } from "./decode";
import type { DecodeData, DecodeReply, DecodeRequest } from "./decode-worker";
import { MediaError } from "./error";

/** Jobs that the thread turns to in steps; an MP3 among them has 16 MB of address space. */
const activeAtMost = 16;
const waitingAtMost = 1000;
/** Of the time of the thread, for one job: fifty minutes of MP3 take fifteen seconds. */
const jobMs = 30_000;
/** A step takes some milliseconds. A thread that makes none in five looks in a row hangs. */
const lookMs = 1000;
const looksAtMost = 5;
/** A job that is not to blame is begun again in a new thread, so often. */
const triesAtMost = 3;

interface Job extends DecodeJob {
  readonly resolve: (samples: number) => void;
  /** Once the signal has aborted, its reason is given in place of this one. */
  readonly reject: (reason: unknown) => void;
  readonly signal: AbortSignal;
  tries: number;
}

export class Decoder {
  readonly #log: Log;
  readonly #script: string;
  readonly #progress = new Int32Array(new SharedArrayBuffer(8));
  readonly #active = new Map<number, Job>();
  readonly #waiting = new Map<number, Job>();
  #worker: Worker | null = null;
  #watch: NodeJS.Timeout | null = null;
  #ids = 0;
  #closed = false;

  constructor(log: Log, script = path.join(__dirname, "decode-worker.js")) {
    this.#log = log;
    this.#script = script;
  }

  /**
   * Decodes a file to raw samples. Resolves with their number.
   * @throws MediaError; the reason of `signal` once it has aborted and the thread has let go of the files: what it was
   *   about to open would lie there for ever if it were removed before
   */
  decode(file: Omit<DecodeJob, "id">, signal: AbortSignal): Promise<number> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.#closed || this.#waiting.size >= waitingAtMost) return Promise.reject(new MediaError("timeout"));
    this.#ids = (this.#ids % 0x7fffffff) + 1;
    const id = this.#ids;
    return new Promise<number>((resolve, reject) => {
      const onAbort = (): void => {
        if (this.#active.has(id)) this.#post({ cancel: id });
        else this.#finish(id, (job) => job.reject(signal.reason));
      };
      const settle =
        <T>(then: (value: T) => void) =>
        (value: T): void => {
          signal.removeEventListener("abort", onAbort);
          if (signal.aborted) reject(signal.reason);
          else then(value);
        };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiting.set(id, { ...file, id, signal, resolve: settle(resolve), reject: settle(reject), tries: 0 });
      this.#feed();
    });
  }

  /** Ends the thread; what it was at is rejected. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#watch) clearInterval(this.#watch);
    for (const id of [...this.#waiting.keys(), ...this.#active.keys()]) {
      this.#finish(id, (job) => job.reject(new MediaError("timeout")));
    }
    await this.#worker?.terminate();
  }

  #feed(): void {
    for (const [id, job] of this.#waiting) {
      if (this.#active.size >= activeAtMost) return;
      this.#waiting.delete(id);
      this.#active.set(id, job);
      job.tries += 1;
      const { source, target, maxSamples } = job;
      this.#post({ decode: { id, source, target, maxSamples } });
    }
  }

  #post(request: DecodeRequest): void {
    this.#worker ??= this.#start();
    this.#worker.postMessage(request);
  }

  #finish(id: number, settle: (job: Job) => void): void {
    const job = this.#active.get(id) ?? this.#waiting.get(id);
    this.#active.delete(id);
    this.#waiting.delete(id);
    if (job) settle(job);
    if (!this.#closed) this.#feed();
  }

  #start(): Worker {
    Atomics.store(this.#progress, 0, 0);
    const workerData: DecodeData = { progress: this.#progress, jobMs };
    const worker = new Worker(this.#script, {
      workerData,
      // What a file can make the decoder print belongs into no log.
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: 128 },
    });
    worker.stdout.resume();
    worker.stderr.resume();
    worker.on("message", (reply: DecodeReply) => this.#answered(reply));
    worker.on("error", (err) => this.#log.error({ err }, "the media decoder crashed"));
    worker.once("exit", () => this.#ended());
    this.#watch = this.#watchFor(worker);
    return worker;
  }

  #answered(reply: DecodeReply): void {
    this.#finish(reply.id, (job) => {
      if ("samples" in reply) return job.resolve(reply.samples);
      if ("failure" in reply) return job.reject(new MediaError(reply.failure));
      if ("cancelled" in reply) return job.reject(job.signal.reason);
      this.#log.error({ error: reply.broken }, "a media file could not be decoded");
      job.reject(new MediaError("unreachable"));
    });
  }

  #watchFor(worker: Worker): NodeJS.Timeout {
    let steps = -1;
    let looks = 0;
    return setInterval(() => {
      const now = Atomics.load(this.#progress, 1);
      looks = this.#active.size > 0 && now === steps ? looks + 1 : 0;
      steps = now;
      if (looks < looksAtMost) return;
      this.#log.error({}, "the media decoder hangs");
      void worker.terminate();
    }, lookMs).unref();
  }

  /** The file in hand is to blame, and would do it again; the others have a new thread. */
  #ended(): void {
    this.#worker = null;
    if (this.#watch) clearInterval(this.#watch);
    if (this.#closed) return;
    const culprit = Atomics.load(this.#progress, 0);
    const others: Job[] = [];
    for (const job of [...this.#active.values()]) {
      if (job.id !== culprit && job.tries < triesAtMost && !job.signal.aborted) others.push(job);
      else
        this.#finish(job.id, () => job.reject(new MediaError(job.id === culprit ? "unsupported_format" : "timeout")));
    }
    for (const job of others) {
      this.#active.delete(job.id);
      this.#waiting.set(job.id, job);
    }
    this.#feed();
  }
}
