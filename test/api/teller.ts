/** Commits events to a call or a room, as the session core would: through the port of the store. */
import { randomUUID } from "node:crypto";
import type { Room, Session, Store, StoredEvent } from "../../src/store/store";

export class Teller {
  constructor(
    private readonly store: Store,
    /** Session uuid or room id. */
    readonly id: string,
  ) {}

  static async ofSession(store: Store, session: Session): Promise<Teller> {
    await store.createSession(session, []);
    return new Teller(store, session.session_uuid);
  }

  static async ofRoom(store: Store, room: Room): Promise<Teller> {
    await store.createRoom(room);
    return new Teller(store, room.room_id);
  }

  /**
   * @param room_id in whose list they stand as well
   * @returns the webhook ids
   */
  tell(names: readonly string[], room_id: string | null = null): Promise<string[]> {
    return this.commit(names, room_id, {}, "live");
  }

  /** Changes the state without a word. */
  async change(state: Partial<Session> | Partial<Room>): Promise<void> {
    await this.commit([], null, state, "live");
  }

  async end(): Promise<void> {
    await this.commit([], null, { state: "ended" }, "ended");
  }

  private async commit(
    names: readonly string[],
    room_id: string | null,
    change: Partial<Session> | Partial<Room>,
    life: "live" | "ended",
  ): Promise<string[]> {
    const isRoom = this.id.includes("-room-");
    const loaded = await (isRoom ? this.store.loadRoom(this.id) : this.store.loadSession(this.id));
    if (!loaded) throw new Error(`${this.id} is gone`);
    const { app_id, sequence } = loaded.state;
    const at = await this.store.now();
    const events = names.map((event, index): StoredEvent => {
      const frame = {
        event,
        [isRoom ? "room_id" : "session_uuid"]: this.id,
        sequence: sequence + index + 1,
        timestamp: new Date(at).toISOString(),
        app_id,
        data: { text: "line\r\nbreak" },
      };
      return {
        sequence: frame.sequence,
        id: `${this.id}.${frame.sequence}`,
        event,
        body: JSON.stringify(frame),
        created_at: at,
        room_id,
      };
    });
    const state = Object.assign({}, loaded.state, change, { sequence: sequence + names.length });
    const { version, revision } = loaded;
    const outcome = await this.store.commit({
      id: this.id,
      app_id,
      version,
      revision,
      fence: null,
      nonce: randomUUID(),
      state,
      life,
      events,
      decided: [],
    });
    if (outcome !== "committed") throw new Error(outcome);
    return events.map(({ id }) => id);
  }
}
