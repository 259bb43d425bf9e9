/** What all commands share: the media server takes it, or says why not. */
import { operations } from "../../generated/operations";
import type { CommandId, Failure, Reply } from "../contract";
import { type Refusal, Refused } from "../engines/engine";
import type { Call, Gateway } from "./gateway";

/** Does not compile until every command declares every failure. */
const failures = {
  gone: "404 Session not found",
  unreachable: "503 Media server unavailable",
  late: "504 Media server timed out",
  unsupported: "501 Not supported by this media server",
} as const satisfies Record<Refusal, Failure<CommandId>>;

/** Answered 202 once the media server has taken the command; its outcome is a `command.result`. */
export function command({ sessions }: Gateway): (call: Call<CommandId>) => Promise<Reply<CommandId>> {
  return async (call) => {
    const { operation_id, timeout_ms } = call.admitted;
    try {
      await sessions.command({
        command: call.operationId,
        body: call.body,
        operation: call.admitted,
        session_uuid: call.session.session_uuid,
        immediate: operations[call.operationId].command.result === "immediate",
      });
    } catch (error) {
      throw error instanceof Refused ? call.error(failures[error.refusal]) : error;
    }
    return { status: 202, body: { operation_id, status: "in_progress", timeout_ms } };
  };
}
