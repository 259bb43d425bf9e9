/** Whether Redis answers, as somebody sees it who asks for nothing else: while it does not, no gateway can do anything. */
import { setTimeout as delay } from "node:timers/promises";
import type { RedisServer } from "../../test/redis/server";
import { Absences } from "./absences";

/** Between two beats, and how long an answer may take: gateways wait as long. */
const beatMs = 50;
const lateMs = 250;

export class Pulse {
  /** While nothing is answered, killed, paused or for a disk that does not keep up. */
  readonly absences = new Absences();
  readonly #redis: RedisServer;
  readonly #stopped = new AbortController();
  readonly #beating: Promise<void>;

  constructor(redis: RedisServer) {
    this.#redis = redis;
    this.#beating = this.#beat();
  }

  /** Resolves after the last beat. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#beating;
  }

  async #beat(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      const late = setTimeout(() => this.absences.begin(), lateMs);
      try {
        // Written, and so on the disk, as all that gateways do.
        await this.#redis.command("SET", "chaos:pulse", performance.now());
        this.absences.end();
      } catch {
        // Nobody is there: that is what is to be known.
        this.absences.begin();
      } finally {
        clearTimeout(late);
      }
      await delay(beatMs);
    }
  }
}
