/**
 * Every command that this engine gives to FreeSWITCH. FreeSWITCH expands `${…}` in what it is given and splits it at spaces,
 * commas and line ends; so nothing comes in here but ids, file names and words that have been checked for their form, and
 * nothing that a tenant or a caller wrote ever does.
 */

/** What is to be sent, and by what kind of frame it is answered. */
export interface Command {
  readonly text: string;
  readonly reply: "api/response" | "command/reply";
  /** Not for the log. */
  readonly secret?: boolean;
}

/** It cannot be said in a command: a name that somebody has configured in a way that FreeSWITCH would not read as a name. */
export class Unspeakable extends Error {
  override readonly name = "Unspeakable";
}

const uuidForm = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** A node, `room`, a UUID. */
const roomForm = /^[A-Za-z0-9]{1,16}-room-[0-9a-f-]{36}$/;
/** Absolute, and without what FreeSWITCH or its conferences would take apart: `@@` is an offset, `{` begins parameters. */
const fileForm = /^\/[A-Za-z0-9._~+=/-]{1,1000}$/;
/** Of this gateway's own making. */
const urlForm = /^https?:\/\/[A-Za-z0-9._~:[\]/-]{1,1000}$/;
const wordForm = /^[A-Za-z0-9_.+-]{1,64}$/;
const causeForm = /^[A-Z_]{1,64}$/;

/** Where a call is handed back to. */
export interface Extension {
  readonly name: string;
  /** The dialplan's context; null: the one that the call is in. */
  readonly context: string | null;
}

/** The conference profile of the configuration that comes with this engine: 8 kHz, silent, and no key does anything in it. */
const profile = "voicegate";
/** Read from the head of an event of a playback: which one it is about. */
export const playHeader = "vg_op";
/** What this engine hears of. `CUSTOM` and its classes stand last, because all that follows them is taken for a class. */
const events = [
  "CHANNEL_PARK",
  "CHANNEL_ANSWER",
  "CHANNEL_HANGUP_COMPLETE",
  "CHANNEL_EXECUTE_COMPLETE",
  "PLAYBACK_START",
  "PLAYBACK_STOP",
  "RECORD_START",
  "RECORD_STOP",
  "DTMF",
  "HEARTBEAT",
  "SHUTDOWN",
  "CUSTOM",
  "conference::maintenance",
];
/**
 * Of each call. Without the first, `*` would end its playbacks; without the pre-buffer of one frame a recording of a call
 * that hears nothing would lose half a second. A short recording is one as well.
 */
const callVariables =
  "playback_terminators=none;RECORD_STEREO=true;RECORD_PRE_BUFFER_FRAMES=1;RECORD_MIN_SEC=0;record_sample_rate=8000";

const api = (text: string): Command => ({ text: `api ${text}\n\n`, reply: "api/response" });
const command = (text: string): Command => ({ text: `${text}\n\n`, reply: "command/reply" });

/** @throws Unspeakable for a password that would end its line */
export function auth(password: string): Command {
  if (/[\r\n]/.test(password)) throw new Unspeakable("the password of the event socket holds a line end");
  return { ...command(`auth ${password}`), secret: true };
}
export const subscribe = command(`event plain ${events.join(" ")}`);
export const unsubscribe = command("noevents");
export const exit = command("exit");
/** New with each start of FreeSWITCH; asked for also to see whether it answers. */
export const coreUuid = api("global_getvar core_uuid");
export const channels = api("show channels as json");

export const dump = (uuid: string): Command => api(`uuid_dump ${channel(uuid)}`);
export const prepare = (uuid: string): Command => api(`uuid_setvar_multi ${channel(uuid)} ${callVariables}`);
/** Of the dialplan's `sched_hangup`, which ends a call that no gateway takes. */
export const cancelTimers = (uuid: string): Command => api(`sched_del ${channel(uuid)}`);
export const answer = (uuid: string): Command => api(`uuid_answer ${channel(uuid)}`);
export const kill = (uuid: string, cause: string): Command =>
  api(`uuid_kill ${channel(uuid)} ${checked(cause, causeForm, "cause")}`);
/** Into the park, from wherever it is: out of a conference, say. */
export const park = (uuid: string): Command => api(`uuid_transfer ${channel(uuid)} park inline`);

export function transfer(uuid: string, { name, context }: Extension): Command {
  const place = context === null ? "" : ` XML ${checked(context, wordForm, "context")}`;
  return api(`uuid_transfer ${channel(uuid)} ${checked(name, wordForm, "extension")}${place}`);
}

export const ringReady = (uuid: string): Command => execute(uuid, "ring_ready", "", "");
export const playback = (uuid: string, tag: string, sound: string, from_ms: number): Command =>
  execute(uuid, "playback", `${tagged(tag, sound)}${from_ms > 0 ? `@@${whole(from_ms) * 8}` : ""}`, tag);
export const enter = (uuid: string, room: string, muted: boolean): Command =>
  execute(uuid, "conference", `${roomName(room)}@${profile}${muted ? "+flags{mute}" : ""}`, "");
/** Ends what plays; `all`: what has not begun yet as well. Nothing that begins later is hit. */
export const breakOff = (uuid: string, all: boolean): Command => api(`uuid_break ${channel(uuid)}${all ? " all" : ""}`);
export const seek = (uuid: string, offset_ms: number): Command =>
  api(`uuid_fileman ${channel(uuid)} seek:${whole(offset_ms)}`);

/** @param limit_s FreeSWITCH counts whole seconds, and not exactly */
export const record = (uuid: string, file: string, limit_s: number): Command =>
  api(`uuid_record ${channel(uuid)} start ${fileName(file)} ${whole(limit_s)}`);
/** @param file null: all that there are */
export const stopRecord = (uuid: string, file: string | null): Command =>
  api(`uuid_record ${channel(uuid)} stop ${file === null ? "all" : fileName(file)}`);

/** @param member null: to all of the room */
export const playRoom = (room: string, member: number | null, tag: string, sound: string): Command =>
  conference(room, `play ${tagged(tag, sound)}`, member);
export const stopRoom = (room: string, member: number | null): Command => conference(room, "stop all", member);
export const seekRoom = (room: string, member: number | null, offset_ms: number): Command =>
  conference(room, `file_seek ${whole(offset_ms)}`, member);
/** @param volume in dB, of what plays now */
export const volumeRoom = (room: string, volume: number): Command =>
  conference(room, `file-vol ${Math.sign(volume) * whole(Math.abs(volume))}`, null);
export const members = (room: string): Command => conference(room, "json_list", null);
export const mute = (room: string, member: number, muted: boolean): Command =>
  conference(room, muted ? "mute" : "unmute", member);

/** @throws Unspeakable */
export const fileName = (file: string): string => {
  if (file.includes("..")) throw new Unspeakable("a path that leads upwards");
  return checked(file, fileForm, "path");
};
/** @throws Unspeakable */
export const urlName = (url: string): string => checked(url, urlForm, "URL");
export const silence = (ms: number): string => `silence_stream://${whole(ms)}`;

export const isChannel = (uuid: string): boolean => uuidForm.test(uuid);
export const isRoom = (room: string): boolean => roomForm.test(room);

/** `name`, or `name XML context`, as a dialplan writes it; null when it is neither. */
export function extensionOf(text: string): Extension | null {
  const [, name, context = null] = /^([A-Za-z0-9_.+-]{1,64})(?: XML ([A-Za-z0-9_.+-]{1,64}))?$/.exec(text) ?? [];
  return name === undefined ? null : { name, context };
}

/** @param sound a file name that was checked, or `silence` */
function tagged(tag: string, sound: string): string {
  return `{${playHeader}=${checked(tag, wordForm, "tag")}}${sound}`;
}

function execute(uuid: string, app: string, argument: string, tag: string): Command {
  const lines = [`sendmsg ${channel(uuid)}`, "call-command: execute", `execute-app-name: ${app}`];
  if (argument !== "") lines.push(`execute-app-arg: ${argument}`);
  if (tag !== "") lines.push(`Event-UUID: ${checked(tag, wordForm, "tag")}`);
  return command(lines.join("\n"));
}

function conference(room: string, what: string, member: number | null): Command {
  return api(`conference ${roomName(room)} ${what}${member === null ? "" : ` ${whole(member)}`}`);
}

const channel = (uuid: string): string => checked(uuid, uuidForm, "channel");
const roomName = (room: string): string => checked(room, roomForm, "room");

function whole(number: number): number {
  if (!Number.isSafeInteger(number) || number < 0) throw new Unspeakable("a number that is none");
  return number;
}

function checked(text: string, form: RegExp, what: string): string {
  if (!form.test(text)) throw new Unspeakable(`a ${what} of a form that no command may have`);
  return text;
}
