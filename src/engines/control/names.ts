/** What the app is told, by the names of the document, when an engine tells something. */
import type { EventName } from "../../contract";
import type { EngineEvent } from "../engine";
import type { CallEvent } from "./audio";

const names: { readonly [T in EngineEvent["type"]]: readonly EventName[] } = {
  early: [],
  answered: ["call.answered", "command.result"],
  dtmf: ["dtmf"],
  "playback.started": ["playback.started", "command.result"],
  "playback.moved": [],
  "playback.stopped": ["playback.stopped"],
  "playback.file_not_found": ["playback.file_not_found"],
  "digits.started": ["command.result"],
  "digits.collected": ["digits.collected"],
  "room.joined": ["conference.member.joined", "command.result"],
  "room.left": ["conference.member.left"],
  "room.muted": ["conference.member.muted", "command.result"],
  "recording.started": [],
  // The file is there; where it goes from here is nothing that a caller could see.
  "recording.stopped": ["recording.completed"],
  handed_back: [],
  failed: ["command.result"],
  hangup: ["call.hangup"],
};

export function namesOf(event: CallEvent): readonly EventName[] {
  if (event.type === "room.muted" && !event.muted) return ["conference.member.unmuted", "command.result"];
  if (event.type === "room.left" && event.operation_id !== null) return ["conference.member.left", "command.result"];
  return names[event.type];
}
