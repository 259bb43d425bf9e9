/**
 * How calls, rooms and commands are written in Redis: `lua/subject.ts` and `lua/admit.ts` say where. By hand, because this is a
 * good part of what a command costs here: measured, a quarter less than `JSON.stringify` of the whole.
 */
import type { CommandAdmission, Guard, Operation, Room, Session } from "../store";
import { FACTS } from "./lua/subject";

/** Between facts, and between the values of a guard. */
const UNIT = "\x1f";
/** At the end of a guard. */
const RECORD = "\x1e";

export interface Encoded {
  /** JSON of the state up to the bracket that opens its operations. */
  readonly j: string;
  /** The operations as JSON, with commas between them. */
  readonly ops: string;
  /** Its facts. */
  readonly g: string;
}

/** Whole state from its parts; a script may have put in operations. */
export function joined({ j, ops }: Pick<Encoded, "j" | "ops">): string {
  return `${j}${ops}]}`;
}

/** ASCII without what JSON escapes. */
const plain = /^[ !#-[\]-~]*$/;

function quoted(text: string): string {
  return plain.test(text) ? `"${text}"` : JSON.stringify(text);
}

function json(value: object | null): string {
  return value === null ? "null" : JSON.stringify(value);
}

export function encodedSession(session: Session): Encoded {
  const { state, node, direction, created_at, answered_at, playback, collecting, room, recording, unfinished } =
    session;
  const caller_id = quoted(session.caller_id);
  const j = `{"session_uuid":${quoted(session.session_uuid)},"app_id":${quoted(session.app_id)},"node":${quoted(
    node,
  )},"state":"${state}","direction":"${direction}","caller_id":${caller_id},"did":${quoted(
    session.did,
  )},"created_at":${created_at},"answered_at":${answered_at},"playback":${json(playback)},"collecting":${json(
    collecting,
  )},"room":${json(room)},"recording":${json(recording)},"unfinished":${
    unfinished.length === 0 ? "[]" : JSON.stringify(unfinished)
  },"sequence":${session.sequence},"operations":[`;
  const place = room === null ? `${UNIT}0` : `${room.room_id}${UNIT}${room.muted ? 1 : 0}`;
  const g = `${state}${UNIT}${place}${UNIT}${recording === null ? 0 : 1}${UNIT}${node}${UNIT}${
    room === null ? "" : room.joined_at
  }${UNIT}${caller_id}`;
  return { j, ops: encodedOperations(session.operations), g };
}

export function encodedRoom(room: Room): Encoded {
  const { state, node, created_at, playback, sequence } = room;
  const j = `{"room_id":${quoted(room.room_id)},"app_id":${quoted(room.app_id)},"node":${quoted(
    node,
  )},"name":${quoted(room.name)},"state":"${state}","created_at":${created_at},"playback":${json(
    playback,
  )},"sequence":${sequence},"operations":[`;
  const g = `${state}${UNIT}${UNIT}0${UNIT}0${UNIT}${node}${UNIT}${UNIT}`;
  return { j, ops: encodedOperations(room.operations), g };
}

function encodedOperations(operations: readonly Operation[]): string {
  let text = "";
  for (const operation of operations) {
    const { uid_given, group, taken, deadline } = operation;
    if (text !== "") text += ",";
    text += `${beginning(operation, uid_given, group, taken)}${deadline}}`;
  }
  return text;
}

/** What becomes the operation of this command when its deadline and a brace are put behind it. */
export function operationOf(command: CommandAdmission): string {
  return beginning(command, command.uid_given, command.cooldown === null ? null : command.cooldown.group, false);
}

function beginning(
  {
    operation_id,
    command,
    command_uid,
    timeout_ms,
  }: Pick<Operation, "operation_id" | "command" | "command_uid" | "timeout_ms">,
  uid_given: boolean,
  group: string | null,
  taken: boolean,
): string {
  return `{"operation_id":${quoted(operation_id)},"command":${quoted(command)},"command_uid":${quoted(
    command_uid,
  )},"uid_given":${uid_given},"timeout_ms":${timeout_ms},"group":${
    group === null ? "null" : quoted(group)
  },"taken":${taken},"deadline":`;
}

/** Most guards are the same objects for each request of an operation. */
const encodedGuards = new WeakMap<readonly Guard[], string>();

export function guardsOf(guards: readonly Guard[]): string {
  if (guards.length === 0) return "";
  const known = encodedGuards.get(guards);
  if (known !== undefined) return known;
  let text = "";
  for (const { field, one_of, none_of, error } of guards) {
    const place = FACTS.indexOf(field) + 1;
    if (one_of !== undefined) text += `${place}=${error}${valuesOf(one_of)}${RECORD}`;
    if (none_of !== undefined) text += `${place}!${error}${valuesOf(none_of)}${RECORD}`;
  }
  encodedGuards.set(guards, text);
  return text;
}

function valuesOf(values: readonly (string | boolean | null)[]): string {
  let text = UNIT;
  for (const value of values) text += `${textOf(value)}${UNIT}`;
  return text;
}

/** What a caller wrote may hold anything: what stands between values must not be in them, and no fact has such a character. */
function textOf(value: string | boolean | null): string {
  if (value === null) return "";
  if (typeof value === "boolean") return value ? "1" : "0";
  return value.replaceAll(UNIT, "\ufffd").replaceAll(RECORD, "\ufffd");
}

/** What the list of members tells of a call. */
export function memberFacts(g: string): {
  readonly muted: boolean;
  readonly joined_at: number;
  readonly caller_id: string;
} {
  const [, , muted, , , joined_at, ...rest] = g.split(UNIT);
  return { muted: muted === "1", joined_at: Number(joined_at), caller_id: String(JSON.parse(rest.join(UNIT))) };
}
