/** For each command: what has to be so before it can be given, and a body with which it succeeds. */
import { operations } from "../../../../generated/operations";
import { Skipped } from "../../check";
import {
  type Commands,
  expectStatus,
  type KitCall,
  type KitRoom,
  type RoomCommand,
  type SessionCommand,
} from "../ground/app";
import type { Answer, JsonObject } from "../ground/client";
import type { Sounds } from "../ground/sounds";
import { bodySchema, exampleBody } from "./requests";

/** What a command is given to. */
export interface Ground {
  readonly call: KitCall;
  readonly room: KitRoom;
  readonly sounds: Sounds;
}

interface Recipe {
  /** The call is left ringing. */
  readonly ringing?: true;
  ready?(ground: Ground): Promise<unknown>;
  body?(ground: Ground): JsonObject;
  /** Fields that make it another command; left out: it has none. */
  readonly other?: JsonObject;
}

/** Longer than any check. */
const long = ({ sounds }: Ground) => [sounds.tone(20_000)];

async function playing(ground: Ground): Promise<void> {
  await ground.call.done("startPlayback", { urls: long(ground) });
}
async function joined({ call, room }: Ground, muted = false): Promise<void> {
  await call.done("joinRoom", { room_id: room.source, muted });
}
async function recording({ call }: Ground): Promise<void> {
  const answer = await call.command("startRecording");
  orWithout(answer);
  expectStatus(answer, 202);
  await call.app.endpoint.result(String(answer.body?.operation_id));
}
async function music(ground: Ground): Promise<void> {
  await ground.room.done("playRoom", { urls: long(ground) });
}

const recipes: { readonly [C in Commands]?: Recipe } = {
  answer: { ringing: true },
  hangup: { other: { cause: "USER_BUSY" } },
  startPlayback: { body: (ground) => ({ urls: long(ground) }), other: { offset_sec: 1 } },
  stopPlayback: { ready: playing },
  pausePlayback: { ready: playing },
  resumePlayback: { ready: playing },
  restartPlayback: { ready: playing },
  seekPlayback: { ready: playing, body: () => ({ offset_sec: 3 }), other: { offset_sec: 4 } },
  playSilence: { body: () => ({ duration_ms: 20_000 }), other: { duration_ms: 19_999 } },
  playAndGetDigits: { body: (ground) => ({ prompt_files: long(ground) }), other: { max_digits: 2 } },
  stopRecording: { ready: recording },
  joinRoom: { body: ({ room }) => ({ room_id: room.source }), other: { muted: true } },
  leaveRoom: { ready: joined },
  mute: { ready: joined },
  unmute: { ready: (ground) => joined(ground, true) },
  playRoom: { body: (ground) => ({ urls: long(ground) }), other: { loop: true } },
  pauseRoom: { ready: music, other: { paused: false } },
  setRoomVolume: { ready: music, body: () => ({ volume: 1 }), other: { volume: 2 } },
  stopRoom: { ready: music },
};

/** Does it want a call that rings? */
export const wantsRinging = (command: Commands): boolean => recipes[command]?.ringing === true;

/** Brings everything about. */
export async function prepare(command: Commands, ground: Ground): Promise<void> {
  await recipes[command]?.ready?.(ground);
}

/** With it the command is taken and succeeds. */
export function bodyFor(command: Commands, ground: Ground): JsonObject {
  const { call, room } = ground;
  const known = recipes[command];
  if (known?.body) return known.body(ground);
  if (known) return {};
  const { url, admin } = call.app.world;
  const origin = { url, app: {}, admin: admin as Readonly<Record<string, string>> };
  return exampleBody(command, origin, { uuid: call.source, room_id: room.source }) ?? {};
}

/** The fields that the document fills in when they are left out. */
export function defaultsFor(command: Commands, body: JsonObject): JsonObject {
  const { properties = {} } = bodySchema(command) ?? {};
  const filled: Record<string, unknown> = {};
  for (const [name, { default: value, "x-default-from": from }] of Object.entries(properties)) {
    if (name in body) continue;
    if (value !== undefined) filled[name] = value;
    else if (typeof from === "string") filled[name] = body[from] ?? properties[from]?.default;
  }
  return filled;
}

/** Fields that make another command of it; null: there are none. */
export const otherwise = (command: Commands): JsonObject | null => recipes[command]?.other ?? null;

/** Sends a command to the call or the room that it is for. */
export function give(command: Commands, { call, room }: Ground, body: JsonObject): Promise<Answer> {
  return forRoom(command) ? room.command(command, body) : call.command(command as SessionCommand, body);
}

/** Of whom its events tell. */
export const subjectOf = (command: Commands, { call, room }: Ground): KitCall | KitRoom => {
  return forRoom(command) ? room : call;
};

const forRoom = (command: Commands): command is RoomCommand => operations[command].command.of === "room";

/** @throws Skipped when the gateway is without what this needs */
export function orWithout(answer: Answer): void {
  if (answer.body?.code === "recording_not_available") throw new Skipped("The gateway does not record.");
  if (answer.body?.code === "not_supported") throw new Skipped("The media server cannot do it.");
}
