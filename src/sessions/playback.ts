/** What plays on a call or in a room. */
import type { EventData } from "../contract";
import type { PlaybackFacts } from "../store/store";
import type { Publication } from "./next";

/** Position in the file that sounds, in milliseconds. */
export function playbackOffset(playback: PlaybackFacts, at: number): number {
  return playback.paused ? playback.offset_ms : playback.offset_ms + Math.max(0, at - playback.at);
}

/** How far a playback came. */
export interface Played {
  readonly offset_ms: number;
  readonly duration_ms: number;
}

/** As far as the gateway can tell by itself. */
export function playedUntil(playback: PlaybackFacts, at: number): Played {
  return { offset_ms: playbackOffset(playback, at), duration_ms: Math.max(0, at - playback.started_at) };
}

export function playbackStarted(command_uid: string, urls: readonly string[]): Publication {
  return { event: "playback.started", data: listed(command_uid, urls) };
}

export function playbackStopped(
  playback: PlaybackFacts,
  { offset_ms, duration_ms }: Played,
  reason: EventData<"playback.stopped">["reason"],
): Publication {
  const data = { ...listed(playback.command_uid, playback.urls), offset_ms, duration_ms, reason };
  return { event: "playback.stopped", data };
}

export function roomPlayStopped(
  playback: PlaybackFacts,
  { offset_ms, duration_ms }: Played,
  reason: EventData<"conference.play.stopped">["reason"],
): Publication {
  const { command_uid, urls } = playback;
  return { event: "conference.play.stopped", data: { command_uid, urls: [...urls], offset_ms, duration_ms, reason } };
}

function listed(command_uid: string, urls: readonly string[]): EventData<"playback.started"> {
  return { command_uid, urls: [...urls], file_path: urls.join(",") };
}
