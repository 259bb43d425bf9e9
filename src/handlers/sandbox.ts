import type { Failure } from "../contract";
import type { Verdict } from "../engines/engine";
import type { Gateway, TagHandlers } from "./gateway";

const failures = {
  no_app: "409 No app takes this number",
  overloaded: "503 Server is overloaded",
  unavailable: "503 Media server unavailable",
} as const satisfies Record<Exclude<Verdict, "accepted">, Failure<"createSandboxCall">>;

export function sandbox(gateway: Gateway): TagHandlers<"sandbox"> {
  return {
    async createSandboxCall(call) {
      if (!gateway.sandbox) throw call.error("503 Embedded engine is off");
      const placed = await gateway.sandbox.call(call.body);
      // Also while there is no media server a number of nobody is that.
      if (placed === "unavailable" && !(await gateway.sessions.appFor(call.body.did)))
        throw call.error(failures.no_app);
      if (typeof placed === "string") throw call.error(failures[placed]);
      return { status: 201, body: { success: true, session_uuid: placed.session_uuid } };
    },
  };
}
