/** What all engines have in common: a switchboard decides, and the rest is their media server. */
import type { Engine, EngineCommands, EngineRoomCommands, Sink } from "../engine";
import type { Switchboard } from "./switchboard";

export abstract class SwitchedEngine implements Engine {
  abstract readonly kind: Engine["kind"];
  abstract readonly node: string;
  protected abstract readonly switchboard: Switchboard;
  #closed: Promise<void> | null = null;

  get commands(): EngineCommands {
    return this.switchboard.commands;
  }

  get roomCommands(): EngineRoomCommands {
    return this.switchboard.roomCommands;
  }

  abstract start(sink: Sink): Promise<void>;
  abstract connected(): boolean;
  abstract reads(own: boolean): void;

  cancel(id: string, operation_id: string): void {
    this.switchboard.cancel(id, operation_id);
  }

  openRoom(room_id: string): Promise<void> {
    return this.switchboard.openRoom(room_id);
  }

  closeRoom(room_id: string): Promise<void> {
    return this.switchboard.closeRoom(room_id);
  }

  end(session_uuid: string, cause: string): void {
    this.switchboard.end(session_uuid, cause);
  }

  drain(): void {
    this.switchboard.drain();
  }

  close(): Promise<void> {
    this.#closed ??= this.shutDown();
    return this.#closed;
  }

  /** `close` was called: from then on nothing new is begun. */
  protected get closing(): boolean {
    return this.#closed !== null;
  }

  /** Called once. */
  protected abstract shutDown(): Promise<void>;
}
