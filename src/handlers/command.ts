/** What all commands share: the media server takes it, or says why not. */
import type { CommandId, Failure, Reply, RoomCommandId } from "../contract";
import { type Refusal, Refused } from "../engines/engine";
import type { Call, Gateway } from "./gateway";

const refusals = {
  unreachable: "503 Media server unavailable",
  late: "504 Media server timed out",
  unsupported: "501 Not supported by this media server",
} as const;

/** Does not compile until every command declares every failure. */
const failures = { ...refusals, gone: "404 Session not found" } as const satisfies Record<Refusal, Failure<CommandId>>;
const roomFailures = { ...refusals, gone: "404 Room not found" } as const satisfies Record<
  Refusal,
  Failure<RoomCommandId>
>;

/** Answered 202 once the media server has taken the command; its outcome is a `command.result`. */
export function command({ sessions }: Gateway): (call: Call<CommandId>) => Promise<Reply<CommandId>> {
  return async (call) => {
    const { operationId, body, admitted, session } = call;
    const { operation_id, timeout_ms } = admitted;
    try {
      await sessions.command({ command: operationId, body, operation: admitted, session });
    } catch (error) {
      throw error instanceof Refused ? call.error(failures[error.refusal]) : error;
    }
    return { status: 202, body: { operation_id, status: "in_progress", timeout_ms } };
  };
}

/** The same for a command of a room. */
export function roomCommand({ sessions }: Gateway): (call: Call<RoomCommandId>) => Promise<Reply<RoomCommandId>> {
  return async (call) => {
    const { operationId, body, admitted, room } = call;
    const { operation_id, timeout_ms } = admitted;
    try {
      await sessions.roomCommand({ command: operationId, body, operation: admitted, room });
    } catch (error) {
      throw error instanceof Refused ? call.error(roomFailures[error.refusal]) : error;
    }
    return { status: 202, body: { operation_id, status: "in_progress", timeout_ms } };
  };
}
