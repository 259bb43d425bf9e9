/** A media server of which nothing comes but keys: as many calls and digits as are wanted, at once. */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import {
  type Engine,
  type EngineCommands,
  type EngineRoomCommands,
  Refused,
  type Sink,
} from "../../src/engines/engine";
import type { Store } from "../../src/store/store";
import { clock, type Moment } from "./clock";

interface Call {
  readonly session_uuid: string;
  /** That it has, or will have. */
  events: number;
}

export class Keypads implements Engine {
  readonly kind = "embedded";
  readonly node = "keypads";
  readonly commands: EngineCommands = {
    answer: "unsupported",
    hangup: "unsupported",
    disconnect: "unsupported",
    startPlayback: "unsupported",
    stopPlayback: "unsupported",
    pausePlayback: "unsupported",
    resumePlayback: "unsupported",
    restartPlayback: "unsupported",
    seekPlayback: "unsupported",
    playSilence: "unsupported",
    playAndGetDigits: "unsupported",
    startRecording: "unsupported",
    stopRecording: "unsupported",
    joinRoom: "unsupported",
    leaveRoom: "unsupported",
    mute: "unsupported",
    unmute: "unsupported",
  };
  readonly roomCommands: EngineRoomCommands = {
    playRoom: "unsupported",
    pauseRoom: "unsupported",
    setRoomVolume: "unsupported",
    stopRoom: "unsupported",
  };
  #sink: Sink | null = null;
  /** By the number that was called. */
  readonly #calls = new Map<string, Call[]>();

  async start(sink: Sink): Promise<void> {
    this.#sink = sink;
  }

  connected(): boolean {
    return this.#sink !== null;
  }

  reads(): void {
    // All that it has goes with this process.
  }

  /** Keys on each of the first `calls` calls to this number, which are made when there are fewer. */
  async press(did: string, calls: number, keys: number): Promise<void> {
    const called = await this.#called(did, calls);
    for (let key = 0; key < keys; key++) for (const call of called) this.#press(call);
  }

  /**
   * Keys on so many calls in turn, evenly.
   * @returns when each was to be pressed, where the event loop was late; timers are early by less than a millisecond
   */
  async pace(did: string, calls: number, perSecond: number, seconds: number): Promise<Moment[]> {
    const called = await this.#called(did, calls);
    const origin = clock();
    const moments: Moment[] = [];
    for (let i = 0; i < perSecond * seconds; i++) {
      const due = origin + (i * 1e6) / perSecond;
      const early = (due - clock()) / 1000;
      if (early > 0) await delay(early);
      const at = Math.min(due, clock());
      const call = called[i % calls];
      if (!call) throw new Error("no calls");
      this.#press(call);
      moments.push({ session_uuid: call.session_uuid, sequence: call.events, at });
    }
    return moments;
  }

  /** Resolves once every key is committed. @returns how many events there are */
  async committed(did: string, store: Pick<Store, "loadSession">): Promise<number> {
    let all = 0;
    for (const { session_uuid, events } of await this.#called(did, 0)) {
      while (((await store.loadSession(session_uuid))?.state.sequence ?? 0) < events) await delay(1);
      all += events;
    }
    return all;
  }

  async #called(did: string, calls: number): Promise<readonly Call[]> {
    if (!this.#sink) throw new Error("not started");
    const called = this.#calls.get(did) ?? [];
    this.#calls.set(did, called);
    while (called.length < calls) {
      const session_uuid = `${this.node}-${randomUUID()}`;
      const verdict = await this.#sink.offer({ session_uuid, caller_id: "alice", did, app_id: null });
      if (verdict !== "accepted") throw new Error(`call refused: ${verdict}`);
      // `call.new` is the first.
      called.push({ session_uuid, events: 1 });
    }
    return called;
  }

  #press(call: Call): void {
    call.events += 1;
    const digit = String(call.events % 10);
    this.#sink?.emit({ session_uuid: call.session_uuid, type: "dtmf", digit, duration_ms: 100 });
  }

  cancel(): void {
    // Nothing was taken that could be undone.
  }

  async openRoom(): Promise<void> {
    throw new Refused("unsupported");
  }

  async closeRoom(): Promise<void> {
    // It never had one.
  }

  end(session_uuid: string, cause: string): void {
    this.#sink?.emit({ session_uuid, type: "hangup", cause, q850_cause: 16, sip_status: 480, by: "gateway" });
  }

  drain(): void {
    // New calls come only when the benchmark asks for them.
  }

  async close(): Promise<void> {
    this.#sink = null;
  }
}
