/** What the embedded engine does for each command. */
import type { EngineCommands, EngineRoomCommands } from "../engine";
import type { Call } from "./call";
import type { Rooms } from "./rooms";
import { causeOf } from "./sip/causes";

/** @param find throws `Refused("gone")` for a call that is not there */
export function sessionCommands(find: (session_uuid: string) => Call, rooms: Rooms): EngineCommands {
  return {
    answer: async (session_uuid, _body, operation) => {
      await find(session_uuid).answer(operation);
      return undefined;
    },
    hangup: async (session_uuid, { cause }) => {
      find(session_uuid).hangup(causeOf(cause), "app");
      return undefined;
    },
    // There is no dialplan here to hand the call back to: this media server ends it.
    disconnect: async (session_uuid) => {
      find(session_uuid).hangup(causeOf("NORMAL_CLEARING"), "media_server");
      return undefined;
    },
    startPlayback: async (session_uuid, body, operation) => {
      await find(session_uuid).startPlayback(body, operation);
      return undefined;
    },
    stopPlayback: async (session_uuid) => find(session_uuid).stopPlayback(),
    pausePlayback: async (session_uuid) => find(session_uuid).pausePlayback(true),
    resumePlayback: async (session_uuid) => find(session_uuid).pausePlayback(false),
    restartPlayback: async (session_uuid) => find(session_uuid).seekPlayback(0),
    seekPlayback: async (session_uuid, { offset_sec }) => find(session_uuid).seekPlayback(offset_sec * 1000),
    playSilence: async (session_uuid, body, operation) => {
      await find(session_uuid).playSilence(body, operation);
      return undefined;
    },
    playAndGetDigits: async (session_uuid, body, operation) => {
      await find(session_uuid).playAndGetDigits(body, operation);
      return undefined;
    },
    startRecording: async (session_uuid, { file }, operation) => find(session_uuid).startRecording(file, operation),
    stopRecording: async (session_uuid) => find(session_uuid).stopRecording(),
    joinRoom: async (session_uuid, body, operation) => {
      await find(session_uuid).joinRoom(rooms.find(body.room_id), body, operation);
      return undefined;
    },
    leaveRoom: async (session_uuid, _body, operation) => {
      await find(session_uuid).leaveRoom(operation);
      return undefined;
    },
    mute: async (session_uuid, _body, operation) => {
      await find(session_uuid).mute(true, operation);
      return undefined;
    },
    unmute: async (session_uuid, _body, operation) => {
      await find(session_uuid).mute(false, operation);
      return undefined;
    },
  };
}

export function roomCommands(rooms: Rooms): EngineRoomCommands {
  return {
    playRoom: async (room_id, body, operation) => {
      await rooms.get(room_id).play(body, operation);
      return undefined;
    },
    pauseRoom: async (room_id, { paused }) => rooms.get(room_id).pause(paused),
    setRoomVolume: async (room_id, { volume }) => rooms.get(room_id).setVolume(volume),
    stopRoom: async (room_id) => rooms.get(room_id).stop(),
  };
}
