/** What can happen to a call or a room: what its engine tells, and what becomes of its commands. */
import type { EventData } from "../contract";
import type { CommandFailure, EngineEvent, EngineRoomEvent } from "../engines/engine";

type Without<E, K extends PropertyKey> = E extends unknown ? Omit<E, K> : never;

/** To calls and rooms alike. */
export type CommandEvent =
  /** The media server took the command. Immediate ones have their result now, with or without a failure. */
  | {
      readonly type: "command.taken";
      readonly operation_id: string;
      readonly immediate: boolean;
      readonly failure: CommandFailure | null;
    }
  /** It did not: `late` leaves open whether it was taken (504), otherwise the operation never was. */
  | { readonly type: "command.refused"; readonly operation_id: string; readonly late: boolean }
  /**
   * Its deadline has passed. `abandoned`: whoever asked a media server to take it has had his time to say what came of that;
   * until then it is his to decide.
   */
  | { readonly type: "command.overdue"; readonly operation_id: string; readonly abandoned: boolean };

/** A recording's file is whole, and where it belongs; or that has been given up. */
export interface Recorded {
  readonly recording_id: string;
  readonly recording_url: string | null;
  readonly duration_ms: number;
  readonly error?: EventData<"recording.completed">["error"];
}

export type SessionEvent =
  | Without<EngineEvent, "session_uuid">
  | CommandEvent
  | ({ readonly type: "recording.completed" } & Recorded);

export type RoomEvent =
  | Without<EngineRoomEvent, "room_id">
  | CommandEvent
  /** The media server has it: from now on it is there for everybody. */
  | { readonly type: "opened" }
  /** From now on it is there for nobody. */
  | { readonly type: "closing" }
  /** No call is in it any more. */
  | { readonly type: "destroyed" };
