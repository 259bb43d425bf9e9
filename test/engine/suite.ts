/** What every engine must do, whatever media server is behind it. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe } from "@jest/globals";
import type { Body, CommandId, RoomCommandId } from "../../src/contract";
import type { Engine, EngineBody, OperationRef, Outcome, ScriptStep } from "../../src/engines/engine";
import type { FileServer } from "./files";
import type { Recorder } from "./recorder";
import { callRules } from "./rules/calls";
import { controlRules } from "./rules/controls";
import { digitRules } from "./rules/digits";
import { membershipRules } from "./rules/membership";
import { playbackRules } from "./rules/playback";
import { recordingRules } from "./rules/recording";
import { roomRules } from "./rules/rooms";

/** A running engine with a caller and a web server beside it. */
export interface Place {
  readonly engine: Engine;
  readonly recorder: Recorder;
  readonly files: FileServer;
  /** Somebody calls and does what the script says. Resolves once the call was accepted, with its session. */
  call(script: readonly ScriptStep[]): Promise<string>;
  close(): Promise<void>;
}

export interface Ran extends OperationRef {
  readonly outcome: Outcome;
}

/** @throws Refused */
export async function run<C extends CommandId>(
  { engine }: Pick<Place, "engine">,
  command: C,
  session_uuid: string,
  body: EngineBody<C>,
): Promise<Ran> {
  const operation = newOperation();
  return { ...operation, outcome: await begin({ engine }, command, session_uuid, body, operation) };
}

/** A command whose operation the test chose. */
export function begin<C extends CommandId>(
  { engine }: Pick<Place, "engine">,
  command: C,
  session_uuid: string,
  body: EngineBody<C>,
  operation: OperationRef,
): Promise<Outcome> {
  const known = engine.commands[command];
  if (known === "unsupported") throw new Error(`${engine.kind} does not know ${command}`);
  return known(session_uuid, body, operation);
}

/** @throws Refused */
export async function runRoom<C extends RoomCommandId>(
  { engine }: Pick<Place, "engine">,
  command: C,
  room_id: string,
  body: Body<C>,
): Promise<Ran> {
  const operation = newOperation();
  const known = engine.roomCommands[command];
  if (known === "unsupported") throw new Error(`${engine.kind} does not know ${command}`);
  return { ...operation, outcome: await known(room_id, body, operation) };
}

/** An open room of this engine. */
export async function openRoom({ engine }: Pick<Place, "engine">): Promise<string> {
  const room_id = `${engine.node}-room-${randomUUID()}`;
  await engine.openRoom(room_id);
  return room_id;
}

export function newOperation(): OperationRef {
  const operation_id = randomUUID();
  return { operation_id, command_uid: `uid-${operation_id}` };
}

/** A playback from the begin of its first file. */
export function play(place: Pick<Place, "engine">, session_uuid: string, ...urls: string[]): Promise<Ran> {
  return run(place, "startPlayback", session_uuid, { urls, offset_sec: 0 });
}

export const collect: Body<"playAndGetDigits"> = {
  prompt_files: [],
  min_digits: 1,
  max_digits: 1,
  max_tries: 1,
  timeout_ms: 5000,
  terminators: "#",
};

/** What some media server cannot do by its nature. */
export interface SuiteOptions {
  /** Where it is late it puts a frame of silence into a recording: a tone there is in step only for a while. */
  readonly recordingSlips?: boolean;
}

export function engineSuite(name: string, open: () => Promise<Place>, options: SuiteOptions = {}): void {
  describe(name, () => {
    let opened: Place;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened.close());
    const place = () => opened;
    callRules(place);
    playbackRules(place);
    controlRules(place);
    digitRules(place);
    recordingRules(place, options);
    membershipRules(place);
    roomRules(place);
  });
}
