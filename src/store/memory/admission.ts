import type { Admission, AdmissionRequest, CommandAdmission, Guard, Loaded, Operation, Quota, Session } from "../store";
import type { Call } from "./calls";
import type { Tenant } from "./tenant";

/**
 * One request against an app: the checks in their order, then the pending operation. An operation that is pending
 * already under the same id is this request's own: its second run answers as the first, and is not counted again.
 *
 * @param tenant the app that the request names; undefined when there is none
 * @param foreign whether the session that the request names is live and another app's
 */
export function admission(
  tenant: Tenant | undefined,
  request: AdmissionRequest,
  foreign: () => boolean,
  now: number,
): Admission {
  if (tenant === undefined || tenant.digest !== request.digest) return { outcome: "key" };
  const { app } = tenant;
  const { command } = request;
  const call = request.session_uuid === null ? undefined : tenant.calls.get(request.session_uuid);
  const session = call?.session ?? null;
  const limit = app.rate_limit === 0 ? request.default_rate_limit : app.rate_limit;
  if (call !== undefined && session !== null && command !== null && call.deadlines.has(command.operation_id)) {
    const quota = tenant.quota.peek(request.address, limit, now);
    return { outcome: "admitted", quota, app, loaded: { session, version: call.version, app } };
  }
  const quota = tenant.quota.count(request.address, limit, now);
  if (quota.exceeded) return { outcome: "quota", quota };
  if (request.held) return { outcome: "held", quota };
  if (request.session_uuid === null) return { outcome: "admitted", quota, app, loaded: null };
  if (call !== undefined && command?.uid_given) {
    const answer = seenBefore(call, command, quota);
    if (answer !== null) return answer;
  }
  if (call === undefined || session === null) return { outcome: foreign() ? "foreign" : "gone", quota };
  const loaded: Loaded = { session, version: call.version, app };
  if (command === null) return { outcome: "admitted", quota, app, loaded };
  const refusal = refusedBy(command.guards, session);
  if (refusal !== null) return { outcome: "guard", quota, refusal };
  const { cooldown } = command;
  if (cooldown !== null) {
    const retry_after_ms = (call.cooldowns.get(cooldown.group)?.until ?? now) - now;
    if (retry_after_ms > 0) return { outcome: "cooldown", quota, retry_after_ms };
  }
  const operation: Operation = {
    operation_id: command.operation_id,
    command: command.command,
    command_uid: command.command_uid,
    uid_given: command.uid_given,
    deadline: now + command.timeout_ms,
    timeout_ms: command.timeout_ms,
    group: cooldown?.group ?? null,
    taken: false,
  };
  const next = tenant.calls.add(call, session, operation, command.fingerprint, cooldown?.ms ?? 0, now);
  return { outcome: "admitted", quota, app, loaded: { session: next, version: call.version, app } };
}

/** The answer to a uid that this session has seen, also after its end; null when it has not. */
function seenBefore(call: Call, command: CommandAdmission, quota: Quota): Admission | null {
  const seen = call.uids?.get(command.command_uid);
  if (seen === undefined) return null;
  const { status, operation_id, timeout_ms } = seen;
  // What the end of the session left open is decided by nobody: it does not count as seen.
  if (status === null && call.session === null) return null;
  if (seen.fingerprint !== command.fingerprint) return { outcome: "uid_used", quota };
  if (status === null) return { outcome: "uid_busy", quota };
  return { outcome: "replay", quota, status, operation_id, timeout_ms };
}

function refusedBy(guards: readonly Guard[], session: Session): string | null {
  for (const { field, is, is_not, refusal } of guards) {
    const value = session[field];
    if ((is !== undefined && value !== is) || (is_not !== undefined && value === is_not)) return refusal;
  }
  return null;
}
