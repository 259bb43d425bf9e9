/**
 * The pure middle: what a call is, and what follows when something happens to it. No clock, store or socket:
 * `advance` answers the next state, the events that tell of it, and what became of operations, so it may be run again
 * whenever another writer came first.
 */

import { commandFailures } from "../../generated/operations";
import type { EventData, EventName } from "../contract";
import type { CommandFailure, EndedBy, EngineEvent } from "../engines/engine";
import type { Commit, Operation, PlaybackFacts, Session } from "../store/store";

/** An event before it has a number. */
export type Publication = { readonly [E in EventName]: { readonly event: E; readonly data: EventData<E> } }[EventName];

type WithoutSession<E> = E extends unknown ? Omit<E, "session_uuid"> : never;

/** What can happen to a session: what its engine tells, and what becomes of its commands. */
export type SessionEvent =
  | WithoutSession<EngineEvent>
  /** The media server took the command. Immediate ones have their result now, with or without a failure. */
  | {
      readonly type: "command.taken";
      readonly operation_id: string;
      readonly immediate: boolean;
      readonly failure: CommandFailure | null;
    }
  /** It did not: `late` leaves open whether it was taken (504), otherwise the operation never was. */
  | { readonly type: "command.refused"; readonly operation_id: string; readonly late: boolean }
  | { readonly type: "command.overdue"; readonly operation_id: string };

/** The next state, while it is being made. */
type Draft = { -readonly [F in keyof Session]: Session[F] };

export interface Advance {
  /** A copy; the number of its last event is still that of before. */
  readonly session: Draft;
  readonly publish: readonly Publication[];
  readonly decided: Commit["decided"];
  /** Deferred commands that the engine must undo. */
  readonly cancel: readonly string[];
}

/** A new call, before anything has happened to it. Times in epoch milliseconds. */
export function createSession(
  call: Pick<Session, "session_uuid" | "app_id" | "node" | "caller_id" | "did">,
  at: number,
): Advance {
  const { session_uuid, app_id, node, caller_id, did } = call;
  const next = new Next({
    session_uuid,
    app_id,
    node,
    state: "ringing",
    direction: "inbound",
    caller_id,
    did,
    created_at: at,
    answered_at: null,
    playback: null,
    collecting: null,
    operations: [],
    sequence: 0,
  });
  return next.tell({ event: "call.new", data: { caller_id, did, direction: "inbound" } });
}

/** Position in the file that sounds, in milliseconds. */
export function playbackOffset(playback: PlaybackFacts, at: number): number {
  return playback.paused ? playback.offset_ms : playback.offset_ms + Math.max(0, at - playback.at);
}

/**
 * @param at when it happened, epoch milliseconds
 * @returns null when the event changes nothing: late confirmations, what belongs to a playback that is over
 */
export function advance(session: Session, event: SessionEvent, at: number): Advance | null {
  const next = new Next(session);
  switch (event.type) {
    case "early":
      if (session.state !== "ringing") return null;
      next.session.state = "early";
      return next;
    case "answered":
      return answered(next, event.operation_id, at);
    case "dtmf":
      return next.tell({ event: "dtmf", data: { digit: event.digit, duration_ms: event.duration_ms } });
    case "playback.started": {
      const { operation_id, command_uid, urls, index, offset_ms } = event;
      // A confirmation that comes too late must not leave it sounding: the caller was told that it failed.
      const operation = pending(session, operation_id);
      if (!operation) return next.undo(operation_id);
      next.session.playback = { command_uid, urls, index, offset_ms, at, started_at: at, paused: false };
      return next.tell({ event: "playback.started", data: listed(command_uid, urls) }).settle(operation, null);
    }
    case "playback.advanced":
      if (session.playback?.command_uid !== event.command_uid) return null;
      next.session.playback = { ...session.playback, index: event.index, offset_ms: 0, at };
      return next;
    case "playback.stopped":
      if (session.playback?.command_uid !== event.command_uid) return null;
      next.session.playback = null;
      return next.tell(stopped(session.playback, event, event.reason));
    case "playback.file_not_found": {
      const { command_uid, url, reason } = event;
      return next.tell({ event: "playback.file_not_found", data: { command_uid, url, reason } });
    }
    case "digits.started": {
      const operation = pending(session, event.operation_id);
      if (!operation) return next.undo(event.operation_id);
      next.session.collecting = { command_uid: event.command_uid };
      return next.settle(operation, null);
    }
    case "digits.collected":
      if (session.collecting?.command_uid !== event.command_uid) return null;
      next.session.collecting = null;
      return next.tell(collected(event.command_uid, event.digits, event.terminator, event.status));
    case "failed": {
      const operation = pending(session, event.operation_id);
      return operation ? next.settle(operation, event.error) : null;
    }
    case "hangup":
      return hangup(next, event, at);
    case "command.taken":
      return taken(next, event);
    case "command.refused": {
      const operation = pending(session, event.operation_id);
      if (!operation) return null;
      next.take(operation, event.late ? 504 : "free");
      return event.late ? next.undo(event.operation_id) : next;
    }
    case "command.overdue": {
      const operation = pending(session, event.operation_id);
      return operation ? next.settle(operation, "Media server timed out").undo(event.operation_id) : null;
    }
  }
}

/**
 * What follows, while it is put together. The copy names every field: one by `...`, with others written over it, has a
 * new shape each time, which cost a tenth of a whole command.
 */
class Next implements Advance {
  readonly session: Draft;
  readonly publish: Publication[] = [];
  readonly decided: Commit["decided"][number][] = [];
  readonly cancel: string[] = [];

  constructor(session: Session) {
    this.session = {
      session_uuid: session.session_uuid,
      app_id: session.app_id,
      node: session.node,
      state: session.state,
      direction: session.direction,
      caller_id: session.caller_id,
      did: session.did,
      created_at: session.created_at,
      answered_at: session.answered_at,
      playback: session.playback,
      collecting: session.collecting,
      operations: session.operations,
      sequence: session.sequence,
    };
  }

  tell(publication: Publication): this {
    this.publish.push(publication);
    return this;
  }

  undo(operation_id: string): this {
    this.cancel.push(operation_id);
    return this;
  }

  /** Takes a pending operation out. */
  take(operation: Operation, status: 202 | 504 | "free"): this {
    this.session.operations = this.session.operations.filter((other) => other !== operation);
    this.decided.push({ operation, status });
    return this;
  }

  /** Ends a pending operation with its one `command.result`. */
  settle(operation: Operation, failure: CommandFailure | null): this {
    return this.take(operation, 202).tell(result(operation, failure));
  }
}

function pending({ operations }: Session, operation_id: string): Operation | undefined {
  return operations.find((operation) => operation.operation_id === operation_id);
}

function answered(next: Next, operation_id: string | null, at: number): Advance {
  const { session } = next;
  const operation = operation_id === null ? undefined : pending(session, operation_id);
  if (session.state !== "answered") {
    session.state = "answered";
    session.answered_at = at;
    next.tell({
      event: "call.answered",
      data: operation ? { command_uid: operation.command_uid, success: true } : {},
    });
  }
  return operation ? next.settle(operation, null) : next;
}

function taken(next: Next, event: Extract<SessionEvent, { type: "command.taken" }>): Advance | null {
  const { session, decided } = next;
  const operation = pending(session, event.operation_id);
  if (!operation) return null;
  if (event.immediate) return next.settle(operation, event.failure);
  session.operations = session.operations.map((other) => (other === operation ? { ...other, taken: true } : other));
  decided.push({ operation, status: 202 });
  return next;
}

/** Who ended the call when it was this command that did: a call that was handed back is the media server's to end. */
const endings: Readonly<Record<string, EndedBy | undefined>> = { hangup: "app", disconnect: "media_server" };

/** The order of these events is part of the contract; `call.hangup` is the last. */
function hangup(next: Next, event: Extract<SessionEvent, { type: "hangup" }>, at: number): Advance {
  const { session } = next;
  const { playback, collecting, operations, answered_at } = session;
  if (playback) {
    const known = event.playback ?? { offset_ms: playbackOffset(playback, at), duration_ms: at - playback.started_at };
    next.tell(stopped(playback, known, "hangup"));
  }
  if (collecting) next.tell(collected(collecting.command_uid, event.digits ?? "", null, "unknown"));
  // All at once: to look for each among all takes seconds when somebody has left thousands pending.
  session.operations = [];
  for (const operation of operations) {
    next.decided.push({ operation, status: 202 });
    next.tell(result(operation, endings[operation.command] === event.by ? null : "Session ended"));
  }
  const { cause, q850_cause, sip_status, by } = event;
  const duration_ms = answered_at === null ? 0 : at - answered_at;
  session.state = "ended";
  session.playback = null;
  session.collecting = null;
  return next.tell({ event: "call.hangup", data: { cause, q850_cause, sip_status, duration_ms, by } });
}

function listed(command_uid: string, urls: readonly string[]): EventData<"playback.started"> {
  return { command_uid, urls: [...urls], file_path: urls.join(",") };
}

function stopped(
  playback: PlaybackFacts,
  at: { readonly offset_ms: number; readonly duration_ms: number },
  reason: EventData<"playback.stopped">["reason"],
): Publication {
  const data = {
    ...listed(playback.command_uid, playback.urls),
    offset_ms: at.offset_ms,
    duration_ms: at.duration_ms,
    reason,
  };
  return { event: "playback.stopped", data };
}

function collected(
  command_uid: string,
  digits: string,
  terminator: string | null,
  status: EventData<"digits.collected">["status"],
): Publication {
  return { event: "digits.collected", data: { command_uid, digits, terminator, status } };
}

function result(operation: Operation, failure: CommandFailure | null): Publication {
  const { command, command_uid, operation_id } = operation;
  const named = { command, command_uid, operation_id };
  if (failure === null) return { event: "command.result", data: { ...named, success: true } };
  const code = commandFailures[failure];
  // The table pairs each text with its code; a union of pairs is more than the compiler follows through a look-up.
  const data = { ...named, success: false, error: failure, code } as EventData<"command.result">;
  return { event: "command.result", data };
}
