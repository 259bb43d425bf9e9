/** What an app was told of a call, one short line per event, so that a whole call can be read and compared. */
import type { EventData, EventName } from "../../src/contract";
import type { Received } from "../receiver";

const lines: { readonly [E in EventName]: (data: EventData<E>) => readonly unknown[] } = {
  "call.new": () => [],
  "call.answered": ({ command_uid }) => [command_uid],
  "call.hangup": ({ cause, sip_status, by }) => [cause, sip_status, "by", by],
  dtmf: ({ digit }) => [digit],
  "digits.collected": ({ command_uid, digits, terminator, status }) => [command_uid, digits, terminator, status],
  "playback.started": ({ command_uid }) => [command_uid],
  "playback.stopped": ({ command_uid, reason }) => [command_uid, reason],
  "playback.file_not_found": ({ command_uid, reason }) => [command_uid, reason],
  "recording.completed": ({ command_uid, error }) => [command_uid, error],
  "conference.created": ({ name }) => [name],
  "conference.destroyed": ({ name }) => [name],
  "conference.member.joined": ({ muted }) => [muted ? "muted" : ""],
  "conference.member.left": ({ reason }) => [reason],
  "conference.member.muted": () => [],
  "conference.member.unmuted": () => [],
  "conference.play.started": ({ command_uid }) => [command_uid],
  "conference.play.stopped": ({ command_uid, reason }) => [command_uid, reason],
  "conference.play.file_not_found": ({ command_uid, reason }) => [command_uid, reason],
  "command.result": (result) => [
    result.command,
    result.command_uid,
    "error" in result ? `failed: ${result.error}` : "done",
  ],
};

/** `digits.collected pin 12 # success`; what is null or empty is left out. */
export function line<E extends EventName>({ event, data }: Received<E>): string {
  const facts = lines[event](data).filter((fact) => fact !== null && fact !== undefined && fact !== "");
  return [event, ...facts].join(" ");
}

export const told = (events: readonly Received[]): string[] => events.map((event) => line(event));
