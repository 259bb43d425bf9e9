/**
 * What must compile and, after each `@ts-expect-error`, what must not. Nothing here runs: the type check of the project
 * refuses a directive that is not needed, and `types.test.ts` looks at what the compiler says without them.
 */
import type {
  AnyFailure,
  Body,
  Call,
  CommandFailureCodes,
  CommandId,
  EventBody,
  EventData,
  EventName,
  Failure,
  Handlers,
  Params,
  Query,
  Reply,
  RoomCommandId,
  TagHandlers,
} from "../../src/contract";

declare const answer: Call<"answer">;
declare const anyCommand: Call<CommandId>;
declare const startPlayback: Call<"startPlayback", { app_id: string }, { state: string }>;
declare const putApp: Call<"putApp">;
declare const listSessions: Call<"listSessions">;
declare const joinRoom: Call<"joinRoom", { app_id: string }, { state: string }>;
declare const stopRoom: Call<"stopRoom", { app_id: string }, { state: string }, { name: string }>;
declare const listRoomEvents: Call<"listRoomEvents">;
declare const createRoom: Call<"createRoom">;

// A handler of all commands serves each of them.
export const general: Call<CommandId> = answer;
async function command(call: Call<CommandId>): Promise<Reply<CommandId>> {
  const { operation_id, timeout_ms } = call.admitted;
  if (call.body.command_uid === "late") throw call.error("504 Media server timed out");
  return { status: 202, body: { operation_id, status: "in_progress", timeout_ms } };
}
export const calls: TagHandlers<"calls"> = { answer: command, hangup: command, disconnect: command };

// Failures: the status and the text that the document declares for this operation.
export const declared = [
  answer.error("404 Session not found"),
  startPlayback.error("400 urls is required"),
  startPlayback.error("429 Command rate limited", { retry_after_ms: 320 }),
  putApp.error("409 Number already assigned to another app", { did: "+49301000" }),
];
export const common: Failure<CommandId> = "403 Session belongs to a different application";
export const below: Failure<"http.notFound"> = "404 Not found";
export const unknownCommand: Failure<"commands.unknown"> = "400 Invalid command";
export const guarded = [
  joinRoom.error("409 Session was handed back"),
  joinRoom.error("409 Room is on another media server", { node: "acW68" }),
  createRoom.error("409 Conference name already taken", { room_id: "" }),
];
export const ofRooms: Failure<RoomCommandId> = "404 Room not found";
export const any: AnyFailure = "408 Request timed out";
// @ts-expect-error a typing error in the text
answer.error("404 Session nto found");
// @ts-expect-error a status that this text does not have
answer.error("410 Session not found");
// @ts-expect-error a text of another operation
answer.error("400 urls is required");
// @ts-expect-error what only some commands declare
anyCommand.error("429 Command rate limited", { retry_after_ms: 1 });
// @ts-expect-error a declared detail is left out
putApp.error("409 Number already assigned to another app");
// @ts-expect-error a detail of another form
putApp.error("409 Number already assigned to another app", { number: "+49301000" });
// @ts-expect-error a detail that is not declared
answer.error("404 Session not found", { session_uuid: "x" });
// @ts-expect-error a guard that this command does not have
answer.error("409 Session is already muted");
// @ts-expect-error what a lenient body cannot cause
stopRoom.error("415 Content-Type must be application/json");
// @ts-expect-error what belongs to no path belongs to no operation
listSessions.error("404 Not found");
// @ts-expect-error a probe of life cannot fail
export const live: Failure<"getLive"> = "503 Store unavailable";

// Answers: a declared status with its body.
export const accepted: Reply<"answer"> = {
  status: 202,
  body: { operation_id: "", status: "in_progress", timeout_ms: 1 },
};
export const tone: Reply<"getSampleTone"> = { status: 200, body: new Uint8Array(44) };
declare const bytes: AsyncIterable<Uint8Array>;
export const parts: Reply<"getRecording">[] = [
  { status: 200, body: bytes },
  { status: 206, body: bytes, headers: { "Content-Range": "bytes 0-1/2" } },
];
export const closed: Reply<"deleteRoom"> = { status: 204 };
// @ts-expect-error a recording is no text in memory
export const inMemory: Reply<"getRecording"> = { status: 200, body: new Uint8Array(44) };
// @ts-expect-error 200 where the document says 202
export const wrongStatus: Reply<"answer"> = { ...accepted, status: 200 };
// @ts-expect-error a field is missing
export const halfBody: Reply<"answer"> = { status: 202, body: { operation_id: "", status: "in_progress" } };
export const moreBody: Reply<"createSandboxCall"> = {
  status: 201,
  // @ts-expect-error a field that is not declared
  body: { success: true, session_uuid: "", call_id: "" },
};

// Handlers: all of them, no other.
// @ts-expect-error one is left out
export const lacking: TagHandlers<"calls"> = { answer: command, hangup: command };
export const additional: TagHandlers<"calls"> = {
  ...calls,
  // @ts-expect-error one too many
  park: command,
};
// @ts-expect-error one is misnamed
export const misnamed: TagHandlers<"calls"> = { answer: command, hangUp: command, disconnect: command };
declare const digits: TagHandlers<"digits">;
declare const playback: TagHandlers<"playback">;
// @ts-expect-error a tag is left out
export const incomplete: Handlers = { ...calls, ...digits, ...playback };

// Bodies, parameters and events.
export const cause: Body<"hangup">["cause"] = "USER_BUSY";
export const urls: readonly string[] = startPlayback.body.urls;
export const params: Params<"getApp"> = { app_id: "demo" };
export const limit: Query<"listSessions">["limit"] = 50;
export const facts: [string, string] = [startPlayback.app.app_id, startPlayback.session.state];
export const roomFacts: [string, string] = [stopRoom.room.name, stopRoom.admitted.command_uid];
export const after: Query<"listRoomEvents">["after"] = 0;
export const ofSession: EventBody<"call.new">["session_uuid"] = "";
export const ofRoom: EventBody<"conference.created">["room_id"] = "";
declare const result: EventBody<"command.result">;
export const source: string = "session_uuid" in result ? result.session_uuid : result.room_id;
export const events: EventName[] = ["call.new", "command.result"];
export const hangup: EventData<"call.hangup"> = {
  cause: "APP_DELETED",
  q850_cause: 31,
  sip_status: null,
  duration_ms: 0,
  by: "gateway",
};
export const fileGone: EventBody<"playback.file_not_found">["data"]["reason"] = "forbidden_address";
export const code: CommandFailureCodes["Session ended"] = "session_ended";
// @ts-expect-error no cause of Q.850
export const noCause: Body<"hangup">["cause"] = "TIRED";
// @ts-expect-error listSessions has no body
listSessions.body.limit;
// @ts-expect-error an administrator has no app
putApp.app;
// @ts-expect-error no session is named
listSessions.session;
// @ts-expect-error a room in the body is not at hand
joinRoom.room;
// @ts-expect-error a session in the body is not at hand
createRoom.session;
// @ts-expect-error what may have ended is not at hand
listRoomEvents.room;
// @ts-expect-error reading is no command
listRoomEvents.admitted;
// @ts-expect-error the result of a room's command has no session
result.session_uuid;
// @ts-expect-error an event of a room has no session
export const noSession: EventBody<"conference.created">["session_uuid"] = "";
// @ts-expect-error no such event
export const noEvent: EventName = "call.lost";
// @ts-expect-error nobody else ends calls
export const noEnd: EventData<"call.hangup">["by"] = "nobody";
