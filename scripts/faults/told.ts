/** Faults of what events say, and of which events there are: the same in webhooks, lists and streams. */
import type { Event } from "./delivery";
import type { Fault } from "./fault";
import { type Json, within } from "./message";
import { events, withData } from "./strokes";

const section7 = "contract §7, webhooks";
const oneResult = "contract §4, each 202 is followed by exactly one command.result";

/** Events that are never told, and leave no gap. */
function lost(name: string, about: string, when: (event: Event) => boolean): Fault {
  return events([`told/lost-${name}`, about, `event ${name}`], (event) => (when(event) ? [] : undefined));
}

/** A value of the data of an event that is wrong. */
function wrong(name: string, about: string, of: string, change: (data: Json) => Json | undefined): Fault {
  return events([`told/${name}`, about, `event ${of}`], (event, json) => {
    const values = event.event === of ? change(event.data) : undefined;
    return values && withData(json, values);
  });
}

const named = (name: string) => (event: Event) => event.event === name;
const result =
  (...commands: readonly string[]) =>
  (event: Event) =>
    event.event === "command.result" && commands.includes(String(event.data.command));

export const told: readonly Fault[] = [
  lost("dtmf", "keys that the caller presses are not told", named("dtmf")),
  lost("call.new", "a new call is not told", named("call.new")),
  lost("call.answered", "the answer is not told", named("call.answered")),
  lost("call.hangup", "the end of a call is not told", named("call.hangup")),
  lost("playback.started", "the beginning of a playback is not told", named("playback.started")),
  lost(
    "playback.stopped-replaced",
    "a playback that is replaced does not end",
    ({ event, data }) => event === "playback.stopped" && data.reason === "replaced",
  ),
  lost(
    "playback.stopped-hangup",
    "a playback does not end with its call",
    ({ event, data }) => event === "playback.stopped" && data.reason === "hangup",
  ),
  lost("playback.file_not_found", "files that cannot be played are not told", named("playback.file_not_found")),
  lost(
    "digits.collected-unknown",
    "a collection that the hangup ends is not told",
    ({ event, data }) => event === "digits.collected" && data.status === "unknown",
  ),
  lost("recording.completed", "recordings are never completed", named("recording.completed")),
  lost("conference.created", "a new room is not told", named("conference.created")),
  lost("conference.destroyed", "a closed room is not told", named("conference.destroyed")),
  lost(
    "conference.member.left-hangup",
    "who hangs up does not leave his room",
    ({ event, data }) => event === "conference.member.left" && data.reason === "hangup",
  ),
  lost("conference.member.muted", "muting is not told", named("conference.member.muted")),
  lost("conference.play.stopped", "what is stopped in a room is not told", named("conference.play.stopped")),
  events(["told/no-result-unmute", "unmute has no result", oneResult], (event) =>
    result("conference/unmute")(event) ? [] : undefined,
  ),
  events(["told/no-result-room-volume", "the volume of a room has no result", oneResult], (event) =>
    result("room/volume")(event) ? [] : undefined,
  ),
  events(["told/no-result-failed", "commands that fail have no result", oneResult], (event) =>
    event.event === "command.result" && event.data.success === false ? [] : undefined,
  ),
  events(["told/result-twice", "playback/pause has two results", oneResult], (event, json) =>
    result("playback/pause")(event) ? [json, json] : undefined,
  ),
  events(["told/result-of-refused", "a failed result is followed by a good one", oneResult], (event, json) =>
    event.event === "command.result" && event.data.success === false
      ? [json, withData(json, { success: true, error: undefined, code: undefined })]
      : undefined,
  ),
  wrong("result-wrong-operation", "results of seek carry another operation_id", "command.result", (data) =>
    data.command === "playback/seek" ? { operation_id: "6a7f1c8e-2d43-4f0a-9a77-1c2b3d4e5f60" } : undefined,
  ),
  wrong("result-wrong-command", "the result of resume is called pause", "command.result", (data) =>
    data.command === "playback/resume" ? { command: "playback/pause" } : undefined,
  ),
  wrong("result-room-prefix", "results of rooms are called like those of calls", "command.result", (data) =>
    String(data.command).startsWith("room/") ? { command: String(data.command).slice(5) } : undefined,
  ),
  wrong("result-uid", "the result of record/start has another command_uid", "command.result", (data) =>
    data.command === "record/start" ? { command_uid: String(data.operation_id) } : undefined,
  ),
  wrong("result-success-without-playback", "stop succeeds although nothing plays", "command.result", (data) =>
    data.code === "no_active_playback" && data.command === "playback/stop"
      ? { success: true, error: undefined, code: undefined }
      : undefined,
  ),
  wrong(
    "result-success-without-file",
    "a playback succeeds although no file could be played",
    "command.result",
    (data) =>
      data.code === "no_file_could_be_played" ? { success: true, error: undefined, code: undefined } : undefined,
  ),
  wrong("result-error-text", "a result has another text", "command.result", (data) =>
    data.code === "no_active_playback" ? { error: "Nothing is playing" } : undefined,
  ),
  wrong("result-session-ended", "what the hangup ends fails for another reason", "command.result", (data) =>
    data.code === "session_ended" ? { error: "No active playback", code: "no_active_playback" } : undefined,
  ),
  wrong("result-hangup-failed", "a hangup that ends the call fails", "command.result", (data) =>
    data.command === "hangup" ? { success: false, error: "Session ended", code: "session_ended" } : undefined,
  ),
  wrong("stopped-wrong-uid", "playback.stopped carries an uid of its own", "playback.stopped", (data) =>
    data.reason === "stopped" ? { command_uid: `stop-${data.command_uid}` } : undefined,
  ),
  wrong("stopped-wrong-reason", "a playback that is stopped is completed", "playback.stopped", (data) =>
    data.reason === "stopped" ? { reason: "completed" } : undefined,
  ),
  wrong("stopped-replaced", "a playback that is replaced is stopped", "playback.stopped", (data) =>
    data.reason === "replaced" ? { reason: "stopped" } : undefined,
  ),
  wrong("stopped-offset-seconds", "offset_ms of playback.stopped is in seconds", "playback.stopped", (data) => ({
    offset_ms: Math.round(Number(data.offset_ms) / 1000),
  })),
  wrong("stopped-offset-zero", "offset_ms of a stopped playback is 0", "playback.stopped", (data) =>
    data.reason === "stopped" && data.offset_ms !== 0 ? { offset_ms: 0 } : undefined,
  ),
  wrong("stopped-duration", "duration_ms of playback.stopped is in seconds", "playback.stopped", (data) => ({
    duration_ms: Math.round(Number(data.duration_ms) / 1000),
  })),
  wrong("started-file-path", "file_path is joined by a blank", "playback.started", (data) =>
    String(data.file_path).includes(",") ? { file_path: String(data.file_path).replaceAll(",", " ") } : undefined,
  ),
  wrong("started-first-url", "playback.started names the first file alone", "playback.started", (data) =>
    Array.isArray(data.urls) && data.urls.length > 1 ? { urls: data.urls.slice(0, 1) } : undefined,
  ),
  wrong("file-wrong-reason", "a file that is not there is unreachable", "playback.file_not_found", (data) =>
    data.reason === "not_found" ? { reason: "unreachable" } : undefined,
  ),
  wrong("digits-off", "the last digit is one too high", "digits.collected", ({ digits }) =>
    /\d$/.test(String(digits))
      ? { digits: String(digits).replace(/\d$/, (last) => String((Number(last) + 1) % 10)) }
      : undefined,
  ),
  wrong("digits-with-terminator", "digits hold the terminator, too", "digits.collected", ({ digits, terminator }) =>
    typeof terminator === "string" ? { digits: `${digits}${terminator}` } : undefined,
  ),
  wrong("no-terminator", "the terminator is not named", "digits.collected", ({ terminator }) =>
    terminator === null ? undefined : { terminator: null },
  ),
  wrong("digits-timeout", "a collection without digits has failed", "digits.collected", ({ status }) =>
    status === "timeout" ? { status: "failure" } : undefined,
  ),
  wrong("digits-failure", "too few digits are a timeout", "digits.collected", ({ status }) =>
    status === "failure" ? { status: "timeout" } : undefined,
  ),
  wrong("dtmf-star", "the star is told as 10", "dtmf", ({ digit }) => (digit === "*" ? { digit: "0" } : undefined)),
  wrong("hangup-cause", "each call ends with NORMAL_CLEARING", "call.hangup", ({ cause }) =>
    cause === "NORMAL_CLEARING" ? undefined : { cause: "NORMAL_CLEARING", q850_cause: 16 },
  ),
  wrong("hangup-q850", "the number of the cause is always 16", "call.hangup", ({ q850_cause }) =>
    q850_cause === 16 ? undefined : { q850_cause: 16 },
  ),
  wrong("hangup-by-app", "what the app ends is ended by the caller", "call.hangup", ({ by }) =>
    by === "app" ? { by: "caller" } : undefined,
  ),
  wrong("hangup-by-caller", "what the caller ends is ended by the app", "call.hangup", ({ by }) =>
    by === "caller" ? { by: "app" } : undefined,
  ),
  wrong("hangup-seconds", "duration_ms of call.hangup is in seconds", "call.hangup", (data) => ({
    duration_ms: Math.round(Number(data.duration_ms) / 1000),
  })),
  wrong("hangup-ringing-time", "duration_ms counts the ringing, too", "call.hangup", (data) => ({
    duration_ms: Number(data.duration_ms) + 3000,
  })),
  wrong("new-without-caller", "call.new tells no caller", "call.new", () => ({ caller_id: "anonymous" })),
  wrong("answered-always-uid", "call.answered carries an uid of nobody", "call.answered", ({ command_uid }) =>
    command_uid === undefined ? undefined : { command_uid: "answer" },
  ),
  wrong("recording-seconds", "duration of a recording is in milliseconds", "recording.completed", (data) => ({
    duration: data.duration_ms,
  })),
  wrong(
    "recording-stop-uid",
    "recording.completed carries the recording's id as uid",
    "recording.completed",
    (data) => ({
      command_uid: data.recording_id,
    }),
  ),
  wrong("recording-other-url", "recording_url leads to nothing", "recording.completed", (data) => ({
    recording_url: `${data.recording_url}.wav`,
  })),
  wrong("joined-unmuted", "who joins muted is told as heard", "conference.member.joined", ({ muted }) =>
    muted === true ? { muted: false } : undefined,
  ),
  wrong("left-reason", "who hangs up in a room has left", "conference.member.left", ({ reason }) =>
    reason === "hangup" ? { reason: "left" } : undefined,
  ),
  wrong("removed-reason", "whose room is closed has left", "conference.member.left", ({ reason }) =>
    reason === "removed" ? { reason: "left" } : undefined,
  ),
  wrong("room-play-reason", "what is replaced in a room is stopped", "conference.play.stopped", ({ reason }) =>
    reason === "replaced" ? { reason: "stopped" } : undefined,
  ),
  wrong("room-destroyed-name", "a closed room has no name", "conference.destroyed", () => ({ name: "" })),
  events(["told/both-sources", "events of members name the room at the top, too", section7], (event, json) =>
    event.event.startsWith("conference.member.") ? { ...json, room_id: within(json, "data").room_id } : undefined,
  ),
  events(["told/timestamp-local", "timestamps have no zone", section7], (_, json) => ({
    ...json,
    timestamp: String(json.timestamp).replace("Z", ""),
  })),
  events(["told/timestamp-number", "timestamps are milliseconds", section7], (_, json) => ({
    ...json,
    timestamp: Date.parse(String(json.timestamp)),
  })),
  events(["told/timestamp-old", "timestamps are an hour late", section7], (_, json) => ({
    ...json,
    timestamp: new Date(Date.parse(String(json.timestamp)) - 3_600_000).toISOString(),
  })),
  events(["told/sequence-from-0", "the first number is 0", section7], (event, json) => ({
    ...json,
    sequence: event.sequence - 1,
  })),
  events(["told/sequence-gap", "the third number is left out", section7], (event, json) =>
    event.sequence < 3 ? undefined : { ...json, sequence: event.sequence + 1 },
  ),
  events(["told/sequence-text", "numbers are texts", section7], (event, json) => ({
    ...json,
    sequence: String(event.sequence),
  })),
  events(["told/after-hangup", "keys come after the end of the call", "contract §7, end of a call"], (event, json) =>
    event.event === "call.hangup"
      ? [json, { ...json, event: "dtmf", data: { digit: "1", duration_ms: 100 } }]
      : undefined,
  ),
  events(["told/answered-twice", "the answer is told twice", "event call.answered"], (event, json) =>
    event.event === "call.answered" ? [json, json] : undefined,
  ),
  events(["told/hangup-twice", "the end is told twice", "event call.hangup"], (event, json) =>
    event.event === "call.hangup" ? [json, json] : undefined,
  ),
  events(["told/extra-event", "an event that nobody has declared is sent for each call", section7], (event, json) =>
    event.event === "call.new" ? [json, { ...json, event: "call.ringing", data: {} }] : undefined,
  ),
  events(["told/app-id", "events name the app in capital letters", section7], (_, json) => ({
    ...json,
    app_id: String(json.app_id).toUpperCase(),
  })),
];
