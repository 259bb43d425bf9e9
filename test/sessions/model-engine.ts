/**
 * A media server that keeps to the port and is otherwise as bad as a test wants it to be: it refuses, is late, confirms
 * late or never, does not hear that a command was given up, loses calls and rooms. Its timers are the process's.
 */
import type { CommandId, RoomCommandId } from "../../src/contract";
import {
  type Engine,
  type EngineCommands,
  type EngineRoomCommands,
  type OperationRef,
  type Outcome,
  type Refusal,
  Refused,
  type Sink,
} from "../../src/engines/engine";
import { ModelCall, type Wish } from "./model-call";
import { ModelRoom } from "./model-room";

/** How it meets a command. */
export interface Conduct {
  readonly refusal: Refusal | null;
  /** Milliseconds until it answers; null: it never does. */
  readonly takes: number | null;
  /** Milliseconds from then until it confirms what was deferred; null: it never does. */
  readonly confirms: number | null;
  /** It comes to nothing. */
  readonly fails: boolean;
  /** It hears only the second time that the command was given up. */
  readonly deaf: boolean;
}

export const obedient: Conduct = { refusal: null, takes: 0, confirms: 0, fails: false, deaf: false };

const sessionCommands = [
  ...["answer", "hangup", "disconnect", "startPlayback", "stopPlayback", "pausePlayback", "resumePlayback"],
  ...["restartPlayback", "seekPlayback", "playSilence", "playAndGetDigits", "startRecording", "stopRecording"],
  ...["joinRoom", "leaveRoom", "mute", "unmute"],
] as const satisfies readonly CommandId[];
const roomCommands = ["playRoom", "pauseRoom", "setRoomVolume", "stopRoom"] as const satisfies readonly RoomCommandId[];

type Body = Readonly<Record<string, unknown>>;
type Take = (id: string, body: Body, operation: OperationRef) => Promise<Outcome>;

export const after = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const never = () => new Promise<never>(() => undefined);

export class ModelEngine implements Engine {
  readonly kind = "freeswitch";
  readonly node = "model";
  /** By operation_id; what is not here is met with obedience. */
  readonly conducts = new Map<string, Conduct>();
  readonly calls = new Map<string, ModelCall>();
  readonly rooms = new Map<string, ModelRoom>();
  /** How often each operation was asked for. */
  readonly asked = new Map<string, number>();
  /** Recordings that have begun. */
  readonly recordings: { readonly session_uuid: string; readonly recording_id: string }[] = [];
  readonly commands: EngineCommands;
  readonly roomCommands: EngineRoomCommands;
  /** How it opens and closes rooms. */
  opens: Conduct = obedient;
  closes: Conduct = obedient;
  #sink: Sink | null = null;
  readonly #deaf = new Set<string>();
  readonly #cancelled = new Set<string>();

  constructor() {
    const session: Take = (id, body, operation) => this.#take(operation, () => this.#call(id), body);
    const room: Take = (id, body, operation) => this.#take(operation, () => this.#room(id), body);
    // The tables pair each command with its body; here all bodies go one way.
    this.commands = this.#table(sessionCommands, session) as EngineCommands;
    this.roomCommands = this.#table(roomCommands, room) as EngineRoomCommands;
  }

  get sink(): Sink {
    if (!this.#sink) throw new Error("the engine was not started");
    return this.#sink;
  }

  async start(sink: Sink): Promise<void> {
    this.#sink = sink;
  }

  connected(): boolean {
    return true;
  }

  reads(): void {
    // All that it has goes with this process.
  }

  /** A call comes in. @returns null when it was not taken */
  async offer(session_uuid: string): Promise<ModelCall | null> {
    const emit: ModelCall["emit"] = (event) => this.sink.emit({ session_uuid, ...event });
    const call = new ModelCall(session_uuid, emit, {
      room: (room_id) => this.rooms.get(room_id) ?? null,
      recorded: (recording_id) => this.recordings.push({ session_uuid, recording_id }),
      ended: () => this.calls.delete(session_uuid),
    });
    this.calls.set(session_uuid, call);
    const verdict = await this.sink.offer({ session_uuid, caller_id: "1", did: "2", app_id: null });
    call.accepted = verdict === "accepted";
    if (call.accepted) return call;
    this.calls.delete(session_uuid);
    return null;
  }

  cancel(id: string, operation_id: string): void {
    if (this.conducts.get(operation_id)?.deaf && !this.#deaf.has(operation_id)) {
      this.#deaf.add(operation_id);
      return;
    }
    this.#cancelled.add(operation_id);
    this.calls.get(id)?.cancel(operation_id);
    this.rooms.get(id)?.cancel(operation_id);
  }

  async openRoom(room_id: string): Promise<void> {
    await this.#meet(this.opens);
    this.rooms.set(room_id, new ModelRoom(room_id, (event) => this.sink.emitRoom({ room_id, ...event })));
  }

  async closeRoom(room_id: string): Promise<void> {
    const { closes } = this;
    this.closes = obedient;
    await this.#meet(closes);
    const room = this.rooms.get(room_id);
    this.rooms.delete(room_id);
    room?.close();
  }

  /** It loses a room. */
  lose(room_id: string): void {
    const room = this.rooms.get(room_id);
    this.rooms.delete(room_id);
    room?.lose();
  }

  end(session_uuid: string, cause: string): void {
    this.calls.get(session_uuid)?.hangup("gateway", cause);
  }

  drain(): void {}

  async close(): Promise<void> {}

  #table(ids: readonly string[], take: Take): object {
    const bound =
      (command: string): Take =>
      (id, body, operation) =>
        take(id, { ...body, command }, operation);
    return Object.fromEntries(ids.map((command) => [command, bound(command)]));
  }

  async #meet({ refusal, takes }: Conduct): Promise<void> {
    if (refusal !== null) throw new Refused(refusal);
    if (takes === null) await never();
    else if (takes > 0) await after(takes);
  }

  #call(id: string): ModelCall {
    const call = this.calls.get(id);
    if (!call) throw new Refused("gone");
    return call;
  }

  #room(id: string): ModelRoom {
    const room = this.rooms.get(id);
    if (!room) throw new Refused("gone");
    return room;
  }

  async #take(operation: OperationRef, find: () => ModelCall | ModelRoom, body: Body): Promise<Outcome> {
    const { operation_id } = operation;
    this.asked.set(operation_id, (this.asked.get(operation_id) ?? 0) + 1);
    const conduct = this.conducts.get(operation_id) ?? obedient;
    await this.#meet(conduct);
    const subject = find();
    if (this.#cancelled.has(operation_id)) throw new Refused("late");
    const { confirms, fails } = conduct;
    const wish: Wish = { ...operation, body, fails, confirms: (work) => this.#confirm(operation_id, confirms, work) };
    return subject.take(String(body.command), wish);
  }

  #confirm(operation_id: string, ms: number | null, work: () => void): void {
    const unlessCancelled = () => {
      if (!this.#cancelled.has(operation_id)) work();
    };
    if (ms === 0) unlessCancelled();
    else if (ms !== null) setTimeout(unlessCancelled, ms);
  }
}
