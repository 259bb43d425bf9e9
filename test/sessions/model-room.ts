/** A room of the engine. */
import type { EngineRoomEvent, Outcome } from "../../src/engines/engine";
import type { ModelCall } from "./model-call";
import { nothingPlays, Playing, type Wish } from "./model-playing";

type Event = EngineRoomEvent extends infer E ? (E extends unknown ? Omit<E, "room_id"> : never) : never;
type StopReason = Extract<EngineRoomEvent, { readonly type: "play.stopped" }>["reason"];

export class ModelRoom {
  /** Those that are in it. */
  readonly members = new Set<ModelCall>();
  /** Those on their way in. */
  readonly joining = new Set<ModelCall>();
  readonly playing: Playing;
  closed = false;
  readonly #emit: (event: Event) => void;

  constructor(
    readonly room_id: string,
    emit: (event: Event) => void,
  ) {
    this.#emit = emit;
    const position = { offset_ms: 10, duration_ms: 20 };
    this.playing = new Playing({
      started: ({ operation_id, command_uid, urls }) =>
        emit({ type: "play.started", operation_id, command_uid, urls, index: 0, loop: false, volume: 0 }),
      moved: ({ command_uid, index, offset_ms, paused }) =>
        emit({ type: "play.moved", command_uid, index, offset_ms, paused, volume: 0 }),
      stopped: (command_uid, reason) =>
        emit({ type: "play.stopped", command_uid, ...position, reason: reason as StopReason }),
      missing: (command_uid, url, reason) => emit({ type: "play.file_not_found", command_uid, url, reason }),
      failed: (operation_id, error) => emit({ type: "failed", operation_id, error }),
    });
  }

  take(command: string, wish: Wish): Outcome {
    switch (command) {
      case "playRoom":
        this.playing.begin(wish, wish.body.urls as readonly string[], "replaced");
        return undefined;
      case "stopRoom":
        return this.playing.end("stopped", "Stopped before it began") ? undefined : nothingPlays;
      case "pauseRoom":
        return this.playing.move({ paused: wish.body.paused === true });
      default:
        return this.playing.move({});
    }
  }

  cancel(operation_id: string): void {
    this.playing.cancel(operation_id);
  }

  close(): void {
    this.closed = true;
    this.playing.end("destroyed", "Room ended");
    for (const call of this.joining) call.roomEnded(this);
    for (const call of this.members) call.out("removed");
  }

  /** Its members go first. */
  lose(): void {
    this.closed = true;
    for (const call of this.joining) call.roomEnded(this);
    for (const call of this.members) call.out("orphan");
    this.#emit({ type: "lost" });
  }
}
