import type { Commit, CommitOutcome, CreateRoomResult, Loaded, Room, Session, StoredEvent, Subject } from "../store";
import type { Argument } from "./connection";
import type { Context } from "./context";
import { encodedRoom, encodedSession } from "./encoding";
import type { Forgetting } from "./forgetting";
import { commit } from "./lua/commit";
import { createRoom, createSession } from "./lua/create";
import { load } from "./lua/listing";
import type { Owner } from "./owners";
import { packed } from "./records";
import { type KnownSettings, loadedOf } from "./settings";

/**
 * Calls and rooms: how they begin, how they change, how they end. Who owns one is written down before it is made; that it is
 * to be ended no more, after its end.
 */
export class StoredSubjects {
  readonly #context: Context;
  readonly #settings: KnownSettings;
  readonly #forgetting: Forgetting;

  constructor(context: Context, settings: KnownSettings, forgetting: Forgetting) {
    this.#context = context;
    this.#settings = settings;
    this.#forgetting = forgetting;
  }

  async createSession(session: Session, events: readonly StoredEvent[]): Promise<boolean> {
    const { app_id, session_uuid, created_at } = session;
    const owner = await this.#claim(app_id, session_uuid);
    if (owner?.app_id !== app_id) return false;
    const { connection, keys, retention_ms } = this.#context;
    const { j, ops, g } = encodedSession(session);
    const args: Argument[] = [session_uuid, owner.epoch, j, ops, g, created_at, retention_ms];
    for (const event of events) args.push(packed(event, session_uuid));
    const [outcome] = listOf(await connection.run(createSession, keys.app(app_id), ...args));
    if (outcome === "made") return true;
    await this.#context.owners.forget([session_uuid]);
    return false;
  }

  async createRoom(room: Room): Promise<CreateRoomResult> {
    const { app_id, room_id, created_at, name } = room;
    const owner = await this.#claim(app_id, room_id);
    if (owner?.app_id !== app_id) return { outcome: "no_app" };
    const { connection, keys, retention_ms } = this.#context;
    const { j, ops, g } = encodedRoom(room);
    const args = [room_id, owner.epoch, j, ops, g, created_at, retention_ms, name];
    const [outcome, holder] = listOf(await connection.run(createRoom, keys.app(app_id), ...args));
    if (outcome === "made") return { outcome: "created" };
    // Nobody else makes it: of this call no second run is under way before its first one was answered.
    await this.#context.owners.forget([room_id]);
    if (outcome === "name_taken") return { outcome, room_id: String(holder) };
    return { outcome: outcome === "full" ? outcome : "no_app" };
  }

  loadSession(session_uuid: string): Promise<Loaded<Session> | null> {
    return this.#load(session_uuid, "s");
  }

  loadRoom(room_id: string): Promise<Loaded<Room> | null> {
    return this.#load(room_id, "r");
  }

  async commit(given: Commit): Promise<CommitOutcome> {
    const { id, app_id, nonce, state, life, events } = given;
    const { connection, keys, owners, retention_ms } = this.#context;
    const owner = owners.known(id) ?? (await owners.find(id));
    if (owner?.app_id !== app_id) return "gone";
    const is_call = "session_uuid" in state;
    const { j, ops, g } = is_call ? encodedSession(state) : encodedRoom(state);
    const name = is_call || life === "live" ? "" : state.name;
    const { version, revision, fence, decided } = given;
    const what = `${is_call ? "s" : "r"} ${life} ${decided.length} ${retention_ms}`;
    const head = `${owner.epoch} ${version} ${revision} ${fence ?? "-"} ${what}`;
    const args: Argument[] = [id, head, nonce, j, ops, g, name];
    for (const { operation, status } of decided) {
      args.push(`${status} ${operation.operation_id} ${operation.group ?? "-"}`);
      args.push(operation.uid_given ? operation.command_uid : "");
    }
    for (const event of events) args.push(packed(event, id));
    const outcome = await connection.run(commit, keys.app(app_id), ...args);
    if (outcome === "full") this.#forgetting.full(app_id);
    if (outcome !== "committed" && outcome !== "full") return outcomeOf(outcome);
    if (life === "ended") await owners.ended(id);
    return "committed";
  }

  /** Who owns it from now on; null when its app is gone and nobody owned it before. */
  async #claim(app_id: string, id: string): Promise<Owner | null> {
    const { connection, keys, owners, active } = this.#context;
    const epoch = await connection.command("GET", `${keys.app(app_id)}cur`);
    if (typeof epoch !== "string") return owners.find(id);
    await active.mark(app_id);
    return owners.claim(id, { app_id, epoch });
  }

  async #load<S extends Subject>(id: string, kind: "s" | "r"): Promise<Loaded<S> | null> {
    const { connection, keys, owners } = this.#context;
    const owner = await owners.find(id);
    if (owner === null) return null;
    const { app_id, epoch } = owner;
    const known = this.#settings.of(app_id);
    const answer = await connection.run(load, keys.app(app_id), id, epoch, kind, known.stamp);
    if (!Array.isArray(answer)) return null;
    const [version, text, stamp, j] = answer;
    return loadedOf(version, text, this.#settings.told(app_id, known, String(stamp), String(j)));
  }
}

function listOf(answer: unknown): readonly unknown[] {
  return Array.isArray(answer) ? answer : [];
}

function outcomeOf(answer: unknown): CommitOutcome {
  if (answer === "conflict" || answer === "fenced" || answer === "gone") return answer;
  throw new Error(`a commit has no such outcome: ${answer}`);
}
