/** How a call ends, for the caller or for the gateway alone. The order of the events is part of the contract. */
import type { EventData } from "../contract";
import type { EndedBy } from "../engines/engine";
import type { Session } from "../store/store";
import type { SessionEvent } from "./happening";
import { left } from "./membership";
import type { Draft, Next } from "./next";
import { type Played, playbackStopped, playedUntil } from "./playback";
import { recordingOver } from "./recording";

type SessionNext = Next<Draft<Session>>;
type Hangup = Extract<SessionEvent, { readonly type: "hangup" }>;

/** Who ended the call when it was this command that did: a call that was handed back is the media server's to end. */
const endings: Readonly<Record<string, EndedBy | undefined>> = { hangup: "app", disconnect: "media_server" };

/** Only `recording.completed` may come after `call.hangup`. */
export function hangup(next: SessionNext, event: Hangup, at: number): SessionNext {
  const { state } = next;
  const { answered_at } = state;
  const { cause, q850_cause, sip_status, by, lost = false } = event;
  stopPlaying(next, event.playback, "hangup", at);
  stopCollecting(next, event.digits);
  left(next, lost ? "orphan" : "hangup");
  // Its file is closed later: the engine says when.
  recordingOver(next);
  next.settleAll(({ command }) => (endings[command] === by ? null : "Session ended"));
  state.state = "ended";
  const duration_ms = answered_at === null ? 0 : Math.max(0, at - answered_at);
  return next.tell({ event: "call.hangup", data: { cause, q850_cause, sip_status, duration_ms, by } });
}

/** The call goes on without the gateway. A recording goes on as well, until the engine says that it stopped. */
export function handedBack(next: SessionNext, at: number): SessionNext {
  stopPlaying(next, undefined, "stopped", at);
  stopCollecting(next, undefined);
  left(next, "left");
  next.settleAll(({ command }) => (command === "disconnect" ? null : "Session ended"));
  next.state.state = "handed_back";
  return next;
}

function stopPlaying(
  next: SessionNext,
  known: Played | undefined,
  reason: EventData<"playback.stopped">["reason"],
  at: number,
): void {
  const { playback } = next.state;
  if (!playback) return;
  next.state.playback = null;
  next.tell(playbackStopped(playback, known ?? playedUntil(playback, at), reason));
}

function stopCollecting(next: SessionNext, digits = ""): void {
  const { collecting } = next.state;
  if (!collecting) return;
  next.state.collecting = null;
  const { command_uid } = collecting;
  next.tell({ event: "digits.collected", data: { command_uid, digits, terminator: null, status: "unknown" } });
}
