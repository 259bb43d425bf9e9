/** A call's part in conference rooms: it is in one at most. */
import type { Body } from "../../contract";
import type { Log } from "../../log";
import { type LeaveReason, type OperationRef, Refused } from "../engine";
import type { CallEvent } from "./audio";
import type { MediaServer } from "./media_server";
import type { Member, Room } from "./room";
import type { Turns } from "./turns";

export interface MembershipMeans {
  readonly server: MediaServer;
  readonly log: Log;
  /** The call, as the media server knows it. */
  readonly call: string;
  readonly turns: Turns;
  emit(event: CallEvent): void;
  /** Tells of what is so already. */
  confirm(event: CallEvent): void;
  /** Ends what the call hears of its own and what is collected from it. Rejects with `Refused`. */
  interrupt(): Promise<void>;
}

/** Being in a room. */
interface Stay {
  readonly room: Room;
  readonly member: Member;
  /** The command that caused it; null: that of another process. */
  readonly joined_by: string | null;
  muted: boolean;
  /** The last command that muted or unmuted, and how it was before. */
  last: { readonly operation_id: string; readonly muted: boolean } | null;
}

export class Membership {
  readonly #means: MembershipMeans;
  #stay: Stay | null = null;

  constructor(means: MembershipMeans) {
    this.#means = means;
  }

  /**
   * @param room null: there is none of this name any more
   * @throws Refused when the media server does not take it; what played on the call is over all the same
   */
  join(room: Room | null, { muted }: Body<"joinRoom">, operation: OperationRef): Promise<void> {
    const { turns, server } = this.#means;
    const { operation_id } = operation;
    const joined = turns.defer(operation_id, async (wanted) => {
      if (room === null || this.#stay?.room === room) {
        await server.ping();
        turns.check();
        if (wanted()) this.#confirm(room, operation_id);
        return;
      }
      await this.#means.interrupt();
      turns.check();
      if (wanted()) await this.#enter(room, muted, operation_id, wanted);
    });
    return room === null ? joined : room.joining(joined);
  }

  /** @throws Refused when the media server does not take it */
  leave({ operation_id }: OperationRef): Promise<void> {
    return this.#change(operation_id, async (stay) => {
      try {
        await this.#means.server.leave(this.#means.call);
      } catch (err) {
        // It comes to pass all the same, once the media server goes on: what must not be told is that the call is inside.
        if (err instanceof Refused && err.refusal === "late" && this.#stay === stay) this.#left("left", operation_id);
        throw err;
      }
      this.#means.turns.check();
      if (this.#stay === stay) this.#left("left", operation_id);
      else this.#roomEnded(operation_id);
    });
  }

  /** @throws Refused when the media server does not take it */
  mute(muted: boolean, { operation_id }: OperationRef): Promise<void> {
    const { call, server, turns } = this.#means;
    return this.#change(operation_id, async (stay) => {
      try {
        await server.mute(call, muted);
      } catch (err) {
        if (err instanceof Refused && err.refusal === "late") this.#setBack(stay);
        throw err;
      }
      turns.check();
      if (this.#stay !== stay) {
        this.#roomEnded(operation_id);
        return;
      }
      stay.last = { operation_id, muted: stay.muted };
      stay.muted = muted;
      this.#means.emit({ type: "room.muted", operation_id, room_id: stay.room.room_id, muted });
    });
  }

  /** It is in the room already, since before this process knew of it. */
  adopted(room: Room, muted: boolean): void {
    const member = { removed: () => this.#left("removed", null) };
    this.#stay = { room, member, joined_by: null, muted, last: null };
    room.add(member);
  }

  /** What this operation did is undone; its outcome was told already. That a call has left cannot be. */
  cancel(operation_id: string): void {
    const stay = this.#stay;
    if (stay === null) return;
    if (stay.joined_by === operation_id) {
      this.#takeOut();
      this.#left("left", null);
    } else if (stay.last?.operation_id === operation_id) {
      stay.muted = stay.last.muted;
      stay.last = null;
      this.#setBack(stay);
    }
  }

  /** The call is over, and its media will be closed: nothing is told from now on. */
  end(): void {
    this.#stay?.room.remove(this.#stay.member);
    this.#stay = null;
  }

  async #enter(room: Room, muted: boolean, operation_id: string, wanted: () => boolean): Promise<void> {
    const { call, server, turns, emit } = this.#means;
    const { room_id } = room;
    if (this.#stay !== null) {
      await server.leave(call);
      this.#left("left", null);
    }
    if (!room.closed) await room.known();
    if (room.closed) {
      this.#roomEnded(operation_id);
      return;
    }
    await server.join(call, room_id, muted);
    turns.check();
    if (room.closed) this.#roomEnded(operation_id);
    else if (wanted()) {
      const member = { removed: () => this.#left("removed", null) };
      this.#stay = { room, member, joined_by: operation_id, muted, last: null };
      room.add(member);
      emit({ type: "room.joined", operation_id, room_id, muted });
    } else this.#takeOut();
  }

  /** For a call that is in the room already, or whose room is gone. */
  #confirm(room: Room | null, operation_id: string): void {
    const stay = this.#stay;
    if (room === null || stay?.room !== room) this.#roomEnded(operation_id);
    else {
      const { muted } = stay;
      this.#means.confirm({ type: "room.joined", operation_id, room_id: room.room_id, muted });
    }
  }

  /** A command for a call in a room. It was in one when the command was admitted: if it is in none now, the room has ended. */
  #change(operation_id: string, act: (stay: Stay) => Promise<void>): Promise<void> {
    const { turns, server } = this.#means;
    return turns.defer(operation_id, async (wanted) => {
      if (this.#stay === null) await server.ping();
      turns.check();
      if (!wanted()) return;
      if (this.#stay === null) this.#roomEnded(operation_id);
      else await act(this.#stay);
    });
  }

  #left(reason: LeaveReason, operation_id: string | null): void {
    const stay = this.#stay;
    if (stay === null) return;
    this.#stay = null;
    stay.room.remove(stay.member);
    this.#means.emit({ type: "room.left", operation_id, room_id: stay.room.room_id, reason });
  }

  #roomEnded(operation_id: string): void {
    this.#means.emit({ type: "failed", operation_id, error: "Room ended" });
  }

  #takeOut(): void {
    const { call, server, log } = this.#means;
    server.leave(call).catch((err) => log.warn({ call, err }, "call could not be taken out of a room"));
  }

  #setBack({ muted }: Stay): void {
    const { call, server, log } = this.#means;
    server.mute(call, muted).catch((err) => log.warn({ call, err }, "mute of a call could not be set back"));
  }
}
