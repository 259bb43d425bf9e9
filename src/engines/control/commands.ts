/** What an engine does for each command. */
import { causeOf } from "../causes";
import type { EngineCommands, EngineRoomCommands } from "../engine";
import type { Call } from "./call";
import type { Room } from "./room";
import type { Rooms } from "./rooms";

/** @param find throws `Refused("gone")` for a call that is not there */
export function sessionCommands(find: (session_uuid: string) => Call, rooms: Rooms): EngineCommands {
  return {
    answer: async (session_uuid, _body, operation) => {
      await find(session_uuid).answer(operation);
      return undefined;
    },
    hangup: async (session_uuid, { cause }) => {
      await find(session_uuid).hangup(causeOf(cause), "app");
      return undefined;
    },
    disconnect: async (session_uuid) => {
      await find(session_uuid).handBack();
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

/** @param find throws `Refused("gone")` for a room that is not there */
export function roomCommands(find: (room_id: string) => Room): EngineRoomCommands {
  return {
    playRoom: async (room_id, body, operation) => {
      await find(room_id).play(body, operation);
      return undefined;
    },
    pauseRoom: async (room_id, { paused }) => find(room_id).pause(paused),
    setRoomVolume: async (room_id, { volume }) => find(room_id).setVolume(volume),
    stopRoom: async (room_id) => find(room_id).stop(),
  };
}
