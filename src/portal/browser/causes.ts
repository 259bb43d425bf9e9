/** Which events a request has caused. Its uid is known when it was sent or, later, by the result of its operation. */
import type { StreamedEvent } from "./stream";

export class Cause {
  #uid: string | null;
  #operation: string | null = null;
  #session: string | null;
  #room: string | null;
  #made: string | null = null;

  /**
   * @param emits events that its operation can cause
   * @param uid `command_uid`, when it was given
   * @param session that it names, if any
   */
  constructor(
    private readonly emits: ReadonlySet<string>,
    uid: string | null,
    session: string | null,
    room: string | null,
  ) {
    this.#uid = uid;
    this.#session = session;
    this.#room = room;
  }

  /** What the answer names: the operation of a command, or the call or room that was made. */
  answered(body: Readonly<Record<string, unknown>>): void {
    if (typeof body.operation_id === "string") this.#operation = body.operation_id;
    else if (typeof body.session_uuid === "string") this.#made = body.session_uuid;
    else if (typeof body.room_id === "string") this.#made = body.room_id;
  }

  /** Takes the uid from a result that is its own, so that events before it are found as well. */
  learn({ event, data }: StreamedEvent): void {
    if (event === "command.result" && this.#operation !== null && data.operation_id === this.#operation)
      this.#uid = String(data.command_uid);
  }

  has({ event, data, session_uuid, room_id }: StreamedEvent): boolean {
    if (!this.emits.has(event)) return false;
    const subject = session_uuid ?? room_id;
    if (this.#made !== null) return subject === this.#made || data.room_id === this.#made;
    if (this.#operation !== null && data.operation_id === this.#operation) return true;
    if (typeof data.command_uid === "string") return data.command_uid === this.#uid;
    // What carries no uid belongs to whoever can cause it to this call or room.
    return subject !== undefined && (subject === this.#session || subject === this.#room);
  }
}
