/**
 * A call's recordings: one runs, those that are over are `unfinished` until they are told of as completed. A recording
 * has begun and is over when the engine says so, whatever became of the commands: each that has begun is completed.
 */
import type { RecordingFacts, Session } from "../store/store";
import type { Recorded, SessionEvent } from "./happening";
import type { Draft, Next } from "./next";

type SessionNext = Next<Draft<Session>>;
type Happened<T extends SessionEvent["type"]> = Extract<SessionEvent, { readonly type: T }>;

export function recordingStarted(next: SessionNext, event: Happened<"recording.started">, at: number): SessionNext {
  const { operation_id, command_uid, recording_id } = event;
  recordingOver(next);
  next.state.recording = { command_uid, recording_id, started_at: at };
  // Nobody was told that it runs: it is stopped, and what there is of it is completed.
  return next.pending(operation_id) ? next : next.undo(operation_id);
}

/** The one that runs is none of the call's any more; that its file is closed is still to be told. */
export function recordingOver(next: SessionNext): void {
  const { state } = next;
  if (state.recording) state.unfinished = [...state.unfinished, state.recording];
  state.recording = null;
}

export function recordingStopped(next: SessionNext, event: Happened<"recording.stopped">): SessionNext | null {
  const { state } = next;
  const { recording_id, failure } = event;
  if (state.recording?.recording_id === recording_id) recordingOver(next);
  else if (!state.unfinished.some((facts) => facts.recording_id === recording_id)) return null;
  next.finish.push({ recording_id, failure });
  return next;
}

export function recordingCompleted(next: SessionNext, recorded: Recorded): SessionNext | null {
  const { state } = next;
  const { recording_id, recording_url, duration_ms, error } = recorded;
  const named = (facts: RecordingFacts | null) => facts?.recording_id === recording_id;
  // After a crash the engine cannot say any more that it stopped.
  const facts = state.unfinished.find(named) ?? (named(state.recording) ? state.recording : null);
  if (!facts) return null;
  if (state.recording === facts) state.recording = null;
  else state.unfinished = state.unfinished.filter((other) => other !== facts);
  const { command_uid } = facts;
  const data = { command_uid, recording_id, recording_url, duration: duration_ms / 1000, duration_ms };
  return next.tell({ event: "recording.completed", data: error === undefined ? data : { ...data, error } });
}
