/**
 * The pure middle: what a call is, and what follows when something happens to it. No clock, store or socket:
 * `advance` answers the next state, the events that tell of it, and what became of operations, so it may be run again
 * whenever another writer came first.
 */

import { commandFailures } from "../../generated/operations";
import type { EventData, EventName } from "../contract";
import type { CommandFailure, EngineEvent, OperationRef } from "../engines/engine";
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

export interface Advance {
  readonly session: Session;
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
  const session: Session = {
    ...call,
    state: "ringing",
    direction: "inbound",
    created_at: at,
    answered_at: null,
    playback: null,
    collecting: null,
    operations: {},
    sequence: 0,
  };
  const { caller_id, did, direction } = session;
  return { session, publish: [{ event: "call.new", data: { caller_id, did, direction } }], decided: [], cancel: [] };
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
  switch (event.type) {
    case "early":
      return session.state === "ringing" ? to(session, { state: "early" }) : null;
    case "answered":
      return answered(session, event.operation_id, at);
    case "dtmf":
      return to(session, {}, [{ event: "dtmf", data: { digit: event.digit, duration_ms: event.duration_ms } }]);
    case "playback.started": {
      const { command_uid, urls, index, offset_ms } = event;
      // A confirmation that comes too late must not leave it sounding: the caller was told that it failed.
      if (!session.operations[event.operation_id]) return { ...to(session, {}), cancel: [event.operation_id] };
      const playback: PlaybackFacts = { command_uid, urls, index, offset_ms, at, started_at: at, paused: false };
      return settle(
        to(session, { playback }, [{ event: "playback.started", data: listed(command_uid, urls) }]),
        event,
        null,
      );
    }
    case "playback.advanced":
      return playing(session, event.command_uid, (playback) =>
        to(session, { playback: { ...playback, index: event.index, offset_ms: 0, at } }),
      );
    case "playback.stopped":
      return playing(session, event.command_uid, (playback) =>
        to(session, { playback: null }, [stopped(playback, event, event.reason)]),
      );
    case "playback.file_not_found": {
      const { command_uid, url, reason } = event;
      return to(session, {}, [{ event: "playback.file_not_found", data: { command_uid, url, reason } }]);
    }
    case "digits.started":
      if (!session.operations[event.operation_id]) return { ...to(session, {}), cancel: [event.operation_id] };
      return settle(to(session, { collecting: { command_uid: event.command_uid } }), event, null);
    case "digits.collected":
      if (session.collecting?.command_uid !== event.command_uid) return null;
      return to(session, { collecting: null }, [
        collected(event.command_uid, event.digits, event.terminator, event.status),
      ]);
    case "failed":
      return session.operations[event.operation_id] ? settle(to(session, {}), event, event.error) : null;
    case "hangup":
      return hangup(session, event, at);
    case "command.taken":
      return taken(session, event);
    case "command.refused": {
      const operation = session.operations[event.operation_id];
      if (!operation) return null;
      const { [event.operation_id]: _, ...operations } = session.operations;
      return {
        ...to(session, { operations }),
        decided: [{ operation, status: event.late ? 504 : "free" }],
        cancel: event.late ? [event.operation_id] : [],
      };
    }
    case "command.overdue":
      if (!session.operations[event.operation_id]) return null;
      return { ...settle(to(session, {}), event, "Media server timed out"), cancel: [event.operation_id] };
  }
}

function to(session: Session, changes: Partial<Session>, publish: readonly Publication[] = []): Advance {
  return { session: { ...session, ...changes }, publish, decided: [], cancel: [] };
}

/** Ends an operation with its one `command.result`. One that is not pending any more has had it. */
function settle(
  before: Advance,
  { operation_id }: Pick<OperationRef, "operation_id">,
  failure: CommandFailure | null,
): Advance {
  const operation = before.session.operations[operation_id];
  if (!operation) return before;
  const { [operation_id]: _, ...operations } = before.session.operations;
  return {
    ...before,
    session: { ...before.session, operations },
    publish: [...before.publish, result(operation, failure)],
    decided: [...before.decided, { operation, status: 202 }],
  };
}

function answered(session: Session, operation_id: string | null, at: number): Advance {
  const operation = operation_id === null ? undefined : session.operations[operation_id];
  const first = session.state !== "answered";
  const data = operation ? { command_uid: operation.command_uid, success: true as const } : {};
  const next = first
    ? to(session, { state: "answered", answered_at: at }, [{ event: "call.answered", data }])
    : to(session, {});
  return operation ? settle(next, operation, null) : next;
}

function taken(session: Session, event: Extract<SessionEvent, { type: "command.taken" }>): Advance | null {
  const operation = session.operations[event.operation_id];
  if (!operation) return null;
  if (event.immediate) return settle(to(session, {}), event, event.failure);
  const operations = { ...session.operations, [event.operation_id]: { ...operation, taken: true } };
  return { ...to(session, { operations }), decided: [{ operation, status: 202 }] };
}

function playing(session: Session, command_uid: string, next: (playback: PlaybackFacts) => Advance): Advance | null {
  return session.playback?.command_uid === command_uid ? next(session.playback) : null;
}

/** Commands that end the call: its end is their success. */
const endings: readonly string[] = ["hangup", "disconnect"];

/** The order of these events is part of the contract; `call.hangup` is the last. */
function hangup(session: Session, event: Extract<SessionEvent, { type: "hangup" }>, at: number): Advance {
  const publish: Publication[] = [];
  const { playback, collecting } = session;
  if (playback) {
    const known = event.playback ?? { offset_ms: playbackOffset(playback, at), duration_ms: at - playback.started_at };
    publish.push(stopped(playback, known, "hangup"));
  }
  if (collecting) publish.push(collected(collecting.command_uid, event.digits ?? "", null, "unknown"));
  const pending = Object.values(session.operations);
  for (const operation of pending)
    publish.push(result(operation, endings.includes(operation.command) ? null : "Session ended"));
  // A media server that was told to hang up says that it did so; a call that was handed back is its own to end.
  const told = pending.some(({ command }) => command === "hangup");
  const by = told && event.by === "media_server" ? "app" : event.by;
  const { cause, q850_cause, sip_status } = event;
  publish.push({
    event: "call.hangup",
    data: {
      cause,
      q850_cause,
      sip_status,
      duration_ms: session.answered_at === null ? 0 : at - session.answered_at,
      by,
    },
  });
  return {
    ...to(session, { state: "ended", playback: null, collecting: null, operations: {} }, publish),
    decided: pending.map((operation) => ({ operation, status: 202 as const })),
  };
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
