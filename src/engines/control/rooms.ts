/** The rooms of the engine, by their ids. */
import type { Unheard } from "../engine";
import { Room, type RoomSurroundings } from "./room";

export class Rooms {
  readonly #around: RoomSurroundings;
  /** Those that are open, or being opened or closed. */
  readonly #rooms = new Map<string, Room>();

  constructor(around: RoomSurroundings) {
    this.#around = around;
  }

  /**
   * Resolves when the media server knows the room. A repeat changes nothing.
   * @throws Refused; a room that was not there before is not there then
   */
  async open(room_id: string): Promise<void> {
    const known = this.#rooms.get(room_id);
    const room = known ?? new Room(room_id, this.#around);
    this.#rooms.set(room_id, room);
    try {
      await room.known();
    } catch (err) {
      if (!known) this.#rooms.delete(room_id);
      throw err;
    }
  }

  /** Resolves once everything that ends with it was told. Unknown rooms are ignored. */
  async close(room_id: string): Promise<void> {
    const room = this.#rooms.get(room_id);
    if (!room) return;
    await room.close();
    this.#rooms.delete(room_id);
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#rooms.keys()].map((room_id) => this.close(room_id)));
  }

  find(room_id: string): Room | null {
    return this.#rooms.get(room_id) ?? null;
  }

  /** One that the media server has already. */
  adopt(room_id: string, playback: Unheard | null): void {
    if (this.#rooms.has(room_id)) return;
    const room = new Room(room_id, this.#around);
    this.#rooms.set(room_id, room);
    room.adopted(playback);
  }

  /** Another process has them from now on. */
  abandon(): void {
    for (const room of this.#rooms.values()) room.abandon();
    this.#rooms.clear();
  }

  lost(): void {
    for (const room of this.#rooms.values()) room.lost();
  }
}
