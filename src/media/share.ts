/** The files of one call: together they take up no more than its share of the room, each counted once. */
import type { CachedFile } from "./cache";
import type { Patience } from "./patience";
import { Lease, Room } from "./room";

export class Share {
  readonly #room: Room;
  readonly #held = new Map<CachedFile, { readonly lease: Lease; times: number }>();

  /** @param size in bytes */
  constructor(size: number) {
    this.#room = new Room(size);
  }

  /** For a file that is to come. */
  lease(): Lease {
    return new Lease(this.#room);
  }

  /**
   * The file is there. Resolves when there is room for it; then `drop` must follow.
   * @param lease what was taken for it
   * @throws as `Room.take`
   */
  async count(file: CachedFile, lease: Lease, patience: Patience): Promise<void> {
    if (!this.#held.has(file)) await lease.settle(file.bytes, patience);
    const held = this.#held.get(file);
    if (held) {
      lease.end();
      held.times += 1;
    } else this.#held.set(file, { lease, times: 1 });
  }

  drop(file: CachedFile): void {
    const held = this.#held.get(file);
    if (!held) return;
    held.times -= 1;
    if (held.times > 0) return;
    this.#held.delete(file);
    held.lease.end();
  }
}
