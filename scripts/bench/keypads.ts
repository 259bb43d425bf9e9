/** A media server of which nothing comes but keys: as many calls and digits as are wanted, at once. */
import { randomUUID } from "node:crypto";
import {
  type Engine,
  type EngineCommands,
  type EngineRoomCommands,
  Refused,
  type Sink,
} from "../../src/engines/engine";

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
  readonly #calls: string[] = [];

  async start(sink: Sink): Promise<void> {
    this.#sink = sink;
  }

  connected(): boolean {
    return this.#sink !== null;
  }

  /** Keys on each of the first `calls` calls, which are made when there are fewer. */
  async press(calls: number, keys: number): Promise<void> {
    const sink = this.#sink;
    if (!sink) throw new Error("not started");
    while (this.#calls.length < calls) {
      const session_uuid = `${this.node}-${randomUUID()}`;
      const verdict = await sink.offer({ session_uuid, caller_id: "alice", did: "100" });
      if (verdict !== "accepted") throw new Error(`call refused: ${verdict}`);
      this.#calls.push(session_uuid);
    }
    for (let key = 0; key < keys; key++) {
      for (const session_uuid of this.#calls)
        sink.emit({ session_uuid, type: "dtmf", digit: String(key % 10), duration_ms: 100 });
    }
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
