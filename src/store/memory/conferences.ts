import type { Member, Room, Session } from "../store";
import type { Chain, Linked } from "./chain";
import type { Kept } from "./subjects";

/** Who is in a room. Those that are known and empty are linked in the order in which they became so. */
export interface Attendance extends Linked<Attendance> {
  readonly room_id: string;
  readonly members: Set<Kept<Session>>;
  /** Is there such a room, and is it neither closing nor over? */
  known: boolean;
  /** Known, and without a member `since`. */
  waiting: boolean;
  since: number;
}

/** Of one app: which name belongs to which room, and who is in which. What a call says of itself decides. */
export class Conferences {
  private readonly names = new Map<string, string>();
  /** Rooms that are known, and those that a call still says it is in. */
  private readonly rooms = new Map<string, Attendance>();

  /** @param idle those of all apps */
  constructor(private readonly idle: Chain<Attendance>) {}

  named(name: string): string | null {
    return this.names.get(name) ?? null;
  }

  open({ name, room_id }: Room, now: number): void {
    this.names.set(name, room_id);
    const room = this.room(room_id);
    room.known = true;
    this.settle(room, now);
  }

  /** It is being closed, or over: its name is free, its members may stay for now. */
  close({ name, room_id }: Room, now: number): void {
    if (this.names.get(name) === room_id) this.names.delete(name);
    const room = this.rooms.get(room_id);
    if (room === undefined) return;
    room.known = false;
    this.settle(room, now);
  }

  /** Somebody wants something of this room: it begins to be idle anew. */
  used(room_id: string, now: number): void {
    const room = this.rooms.get(room_id);
    if (room?.waiting) this.wait(room, now);
  }

  /** A call says that it is in this room from now on, and not in that one any more; null: in none. */
  move(call: Kept<Session>, from: string | null, to: string | null, now: number): void {
    const left = from === null ? undefined : this.rooms.get(from);
    if (left?.members.delete(call)) this.settle(left, now);
    if (to === null) return;
    const joined = this.room(to);
    joined.members.add(call);
    this.settle(joined, now);
  }

  count(room_id: string): number {
    return this.rooms.get(room_id)?.members.size ?? 0;
  }

  /** In the order of their joining. */
  members(room_id: string): readonly Member[] {
    const members: Member[] = [];
    for (const { id, state } of this.rooms.get(room_id)?.members ?? []) {
      if (state === null || state.room === null) continue;
      const { muted, joined_at } = state.room;
      members.push({ session_uuid: id, caller_id: state.caller_id, muted, joined_at });
    }
    return members.sort((one, other) => one.joined_at - other.joined_at);
  }

  /** Deletes all. */
  clear(): void {
    for (const room of this.rooms.values()) if (room.waiting) this.idle.remove(room);
    this.rooms.clear();
    this.names.clear();
  }

  private room(room_id: string): Attendance {
    const known = this.rooms.get(room_id);
    if (known !== undefined) return known;
    const state = { known: false, waiting: false, since: 0, older: null, newer: null };
    const room: Attendance = { room_id, members: new Set(), ...state };
    this.rooms.set(room_id, room);
    return room;
  }

  private settle(room: Attendance, now: number): void {
    const waits = room.known && room.members.size === 0;
    if (waits && !room.waiting) {
      this.wait(room, now);
    } else if (!waits && room.waiting) {
      room.waiting = false;
      this.idle.remove(room);
    }
    if (!room.known && room.members.size === 0) this.rooms.delete(room.room_id);
  }

  private wait(room: Attendance, now: number): void {
    if (room.waiting) this.idle.remove(room);
    room.waiting = true;
    room.since = now;
    this.idle.append(room);
  }
}
