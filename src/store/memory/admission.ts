import type { ErrorCode } from "../../contract";
import type {
  Admission,
  AdmissionRequest,
  CommandAdmission,
  Guard,
  Operation,
  Quota,
  Room,
  Session,
  Subject,
} from "../store";
import type { Apps } from "./apps";
import type { SourceKind } from "./log";
import { type Kept, seen } from "./subjects";
import type { Tenant } from "./tenant";

/**
 * One request against an app: the checks in their order, then the pending operation. An operation that is pending
 * already under the same id is this request's own: its second run answers as the first, and is not counted again.
 */
export function admission(apps: Apps, request: AdmissionRequest, now: number): Admission {
  const { app_id, session_uuid, room_id, command } = request;
  const tenant = apps.get(app_id);
  if (tenant === undefined || tenant.digest !== request.digest) return { outcome: "key" };
  const { app, sessions, rooms } = tenant;
  const call = session_uuid === null ? undefined : sessions.get(session_uuid);
  const place = room_id === null ? undefined : rooms.get(room_id);
  /** Whose command it is. */
  const subject = session_uuid === null ? place : call;
  const limit = app.rate_limit === 0 ? request.default_rate_limit : app.rate_limit;
  if (command !== null && subject?.deadlines.has(command.operation_id)) {
    const quota = tenant.quota.peek(request.address, limit, now);
    return admitted(quota, tenant, call, place);
  }
  const quota = tenant.quota.count(request.address, limit, now);
  if (quota.exceeded) return { outcome: "quota", quota };
  if (request.held) return { outcome: "held", quota };
  if (command?.uid_given && subject !== undefined && subject.life !== "live") {
    const answer = seenBefore(subject, command, quota);
    if (answer !== null) return answer;
  }
  const session = seen(call);
  if (session_uuid !== null && session === null && !(request.ended && isOver(tenant, session_uuid, "session", call))) {
    return { outcome: apps.isForeign(app_id, session_uuid, "session") ? "session_foreign" : "session_gone", quota };
  }
  const room = seen(place);
  if (room_id !== null && room === null && !(request.ended && isOver(tenant, room_id, "room", place))) {
    return { outcome: apps.isForeign(app_id, room_id, "room") ? "room_foreign" : "room_gone", quota };
  }
  if (command === null) return admitted(quota, tenant, session && call, room && place);
  if (command.uid_given && subject !== undefined) {
    const answer = seenBefore(subject, command, quota);
    if (answer !== null) return answer;
  }
  if (command.barred !== null) return { outcome: "refused", quota, error: command.barred };
  const error = session === null ? null : refusedBy(command.guards, session);
  if (error !== null) return { outcome: "refused", quota, error };
  const { cooldown } = command;
  if (cooldown !== null) {
    const retry_after_ms = (subject?.cooldowns.get(cooldown.group)?.until ?? now) - now;
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
  const cooldown_ms = cooldown?.ms ?? 0;
  if (call !== undefined && session !== null) {
    sessions.add(call, session, operation, command.fingerprint, cooldown_ms, now);
  } else if (place !== undefined && room !== null) {
    rooms.add(place, room, operation, command.fingerprint, cooldown_ms, now);
  }
  if (room_id !== null) tenant.conferences.used(room_id, now);
  return admitted(quota, tenant, call, place);
}

function admitted(
  quota: Quota,
  tenant: Tenant,
  call: Kept<Session> | null | undefined,
  place: Kept<Room> | null | undefined,
): Admission {
  const session = tenant.loaded(call ?? undefined);
  const room = tenant.loaded(place ?? undefined);
  return { outcome: "admitted", quota, app: tenant.app, session, room };
}

/** Has this own call or room ended, or is about to, and is something of it remembered? */
function isOver<S extends Subject>(tenant: Tenant, id: string, kind: SourceKind, kept: Kept<S> | undefined): boolean {
  return kept === undefined ? tenant.log.has(id, kind) : kept.life !== "live";
}

/** The answer to a uid that this call or room has seen, also after its end; null when it has not. */
function seenBefore(kept: Kept<Subject>, command: CommandAdmission, quota: Quota): Admission | null {
  const uid = kept.uids?.get(command.command_uid);
  if (uid === undefined) return null;
  const { status, operation_id, timeout_ms } = uid;
  // What an end left open is decided by nobody: it does not count as seen.
  if (status === null && kept.life !== "live" && !kept.deadlines.has(operation_id)) return null;
  if (uid.fingerprint !== command.fingerprint) return { outcome: "uid_used", quota };
  if (status === null) return { outcome: "uid_busy", quota };
  return { outcome: "replay", quota, status, operation_id, timeout_ms };
}

function refusedBy(guards: readonly Guard[], session: Session): ErrorCode | null {
  for (const { field, one_of, none_of, error } of guards) {
    const value = fieldOf(session, field);
    if (one_of?.includes(value) === false || none_of?.includes(value) === true) return error;
  }
  return null;
}

function fieldOf(session: Session, field: Guard["field"]): string | boolean | null {
  switch (field) {
    case "state":
      return session.state;
    case "node":
      return session.node;
    case "room_id":
      return session.room?.room_id ?? null;
    case "muted":
      return session.room?.muted ?? false;
    case "recording":
      return session.recording !== null;
  }
}
