/** Faults of the order of checks: of two that fail, the wrong one decides. */
import type { Fault, Place } from "./fault";
import { anew, Credentials, groupMs, having, isTaken, policyOf, Taken, uidOf } from "./memory";
import { field, type HttpAnswer, type HttpRequest, jsonOf, type RequestHead, withField } from "./message";
import { at, codeOf, is, operationOf, refused, subjectOf } from "./strokes";

const section3 = "contract §3, order of checks";

interface Seen {
  readonly credentials: Credentials;
  readonly taken: Taken;
}

/**
 * Asks in another way what the gateway would say to the later check, and lets that decide.
 *
 * @param ask the same request without what the earlier check refuses; undefined: this one is left alone
 * @param when of the answer to that; else the first answer stands
 */
function swapped(
  name: string,
  about: string,
  first: (answer: HttpAnswer, request: HttpRequest) => boolean,
  ask: (request: HttpRequest, seen: Seen) => HttpRequest | null | undefined,
  when: (answer: HttpAnswer) => boolean,
): Fault {
  const start = (place: Place) => {
    const seen = { credentials: new Credentials(), taken: new Taken() };
    return {
      exchange: async (request: HttpRequest, next: (request: HttpRequest) => Promise<HttpAnswer>) => {
        const answer = await next(request);
        seen.credentials.see(request, answer);
        const group = policyOf(request)?.group;
        if (group && isTaken(answer)) seen.taken.mark(request, group);
        const other = !request.passed && first(answer, request) ? ask(request, seen) : null;
        if (!other) return answer;
        const later = await place.ask(other);
        // The same error again is no other order.
        if (!when(later) || codeOf(later) === codeOf(answer)) return answer;
        place.strike();
        return later;
      },
    };
  };
  return { name: `order/${name}`, about, clause: section3, start };
}

const status =
  (...wanted: readonly number[]) =>
  (answer: HttpAnswer) =>
    wanted.includes(answer.status);
const coded =
  (...codes: readonly string[]) =>
  (answer: HttpAnswer) =>
    codes.includes(codeOf(answer));
/** The same for a call or a room that is not there: whatever it asks for, nothing is done. Null: it names none. */
function nowhere(request: HttpRequest): HttpRequest | null {
  const subject = subjectOf(request);
  if (subject === "") return null;
  return at(request, request.target.replace(subject, subject.slice(0, -1) + (subject.endsWith("0") ? "1" : "0")));
}

/** By somebody who may, as far as nothing is done by it. What is asked for is read to its end: a stream has none. */
function lent(request: HttpRequest, { credentials }: Seen): HttpRequest | null {
  if (is(request, "streamEvents")) return null;
  const own = credentials.lent(request);
  if (own && policyOf(request)?.command) return nowhere(own);
  return request.method === "GET" ? own : null;
}

/** A body of another type is refused, whatever it is for. */
function lentAnotherType(request: HttpRequest, seen: Seen): HttpRequest | null {
  const isText = field(request, "Content-Type")?.startsWith("text/") && request.body.length > 0;
  return isText && !policyOf(request)?.command ? seen.credentials.lent(request) : lent(request, seen);
}

/** Looks at the call or the room that a command is for. */
function looked(request: HttpRequest): HttpRequest | null {
  const subject = subjectOf(request);
  if (subject === "" || !policyOf(request)?.command) return null;
  const path = request.target.slice(0, request.target.indexOf(subject) + subject.length);
  return at({ ...request, method: "GET", body: Buffer.alloc(0) }, path);
}

const keyless = coded("missing_api_key", "invalid_api_key", "missing_app_id", "missing_admin_key", "invalid_admin_key");

/** A body that the operation takes, so that what comes after the body decides. */
const valid: Readonly<Record<string, HttpRequest["body"]>> = Object.fromEntries(
  Object.entries({
    startPlayback: { urls: ["http://127.0.0.1:9/a.wav"] },
    seekPlayback: { offset_sec: 0 },
    playSilence: { duration_ms: 1 },
    playAndGetDigits: { prompt_files: ["http://127.0.0.1:9/a.wav"] },
    joinRoom: { room_id: "nothing" },
    playRoom: { urls: ["http://127.0.0.1:9/a.wav"] },
    setRoomVolume: { volume: 0 },
  }).map(([id, body]) => [id, Buffer.from(JSON.stringify(body))]),
);

/** While a window of the group is open, it decides before what is told so. */
function cooldownFirst(than: string, about: string, told: (answer: HttpAnswer) => boolean): Fault {
  const start = (place: Place) => {
    const taken = new Taken();
    return {
      wants: ({ method }: RequestHead) => method === "POST",
      exchange: async (request: HttpRequest, next: (request: HttpRequest) => Promise<HttpAnswer>) => {
        const answer = await next(request);
        const group = policyOf(request)?.group;
        if (!group || request.passed) return answer;
        if (isTaken(answer)) taken.mark(request, group);
        const left = (groupMs[group] ?? 0) - taken.since(request, group);
        if (!told(answer) || left <= 0) return answer;
        place.strike();
        const detail = { retry_after_ms: Math.ceil(left) };
        return refused(answer, 429, "command_rate_limited", "Command rate limited", {
          detail,
          retryAfter: String(Math.ceil(left / 1000)),
        });
      },
    };
  };
  return { name: `order/cooldown-before-${than}`, about, clause: section3, start };
}

export const order: readonly Fault[] = [
  swapped("415-before-401", "the type of a body is looked at before the key", keyless, lentAnotherType, status(415)),
  swapped("413-before-401", "the size of a body is looked at before the key", keyless, lent, status(413)),
  swapped("400-before-401", "a body is read before the key is looked at", keyless, lent, (answer) =>
    coded("invalid_request_body", "unknown_field", "urls_required", "name_invalid", "did_invalid")(answer),
  ),
  swapped(
    "404-before-401",
    "a session is looked for before the key is looked at",
    keyless,
    lent,
    coded("session_not_found"),
  ),
  swapped(
    "401-before-405",
    "the key is looked at before the method",
    status(405),
    (request) =>
      at(
        { ...request, method: "GET", body: Buffer.alloc(0) },
        request.target.startsWith("/admin") ? "/admin/apps" : "/api/v1/sessions",
      ),
    status(401),
  ),
  swapped(
    "401-before-404",
    "the key is looked at before the route",
    coded("not_found"),
    (request) =>
      request.target.startsWith("/api/v1/")
        ? at({ ...request, method: "GET", body: Buffer.alloc(0) }, "/api/v1/sessions")
        : null,
    status(400, 401),
  ),
  swapped("command-before-401", "an unknown command is told to strangers", keyless, lent, coded("invalid_command")),
  swapped(
    "key-before-app-id",
    "a missing key is told before a missing app id",
    coded("missing_app_id"),
    (request) => (field(request, "X-API-Key") === undefined ? withField(request, "X-App-ID", "nobody") : null),
    coded("missing_api_key"),
  ),
  swapped(
    "key-before-app-id-format",
    "a missing key is told before a malformed app id",
    coded("invalid_app_id_header"),
    (request) => (field(request, "X-API-Key") === undefined ? withField(request, "X-App-ID", "nobody") : null),
    coded("missing_api_key"),
  ),
  swapped(
    "404-before-400",
    "a session is looked for before the body is checked",
    status(400),
    looked,
    coded("session_not_found", "room_not_found"),
  ),
  swapped("403-before-400", "whose session it is is looked at before the body", status(400), looked, status(403)),
  swapped(
    "404-before-415",
    "a session is looked for before the type of the body is looked at",
    status(415),
    looked,
    status(404),
  ),
  swapped(
    "404-before-413",
    "a session is looked for before the size of the body is looked at",
    status(413),
    looked,
    status(404),
  ),
  swapped(
    "400-before-415",
    "the body is read before its type is looked at",
    status(415),
    (request) => nowhere(withField(request, "Content-Type", "application/json")),
    status(400),
  ),
  swapped(
    "unknown-before-required",
    "an unknown field is told before a missing one",
    coded("urls_required", "room_id_required", "duration_ms_invalid", "volume_invalid", "name_invalid"),
    (request) => {
      const id = operationOf(request) ?? "";
      const body = jsonOf(request);
      return body && valid[id] ? nowhere(having(request, { ...JSON.parse(valid[id].toString()), ...body })) : null;
    },
    coded("unknown_field"),
  ),
  swapped(
    "fields-before-unknown",
    "a field is checked before an unknown one is told",
    coded("unknown_field"),
    (request) => {
      const known = [
        "command_uid",
        "urls",
        "offset_sec",
        "cause",
        "duration_ms",
        "prompt_files",
        "room_id",
        "name",
        "paused",
        "volume",
        "muted",
        "loop",
        "max_tries",
        "min_digits",
        "max_digits",
      ];
      const own = Object.entries(jsonOf(request) ?? {}).filter(([name]) => known.includes(name));
      return policyOf(request)?.command ? nowhere(having(request, Object.fromEntries(own))) : null;
    },
    (answer) => answer.status === 400 && codeOf(answer) !== "unknown_field",
  ),
  swapped(
    "fields-reversed",
    "of several invalid fields the last one is told",
    coded("invalid_command_uid"),
    (request) => {
      const { command_uid: _, ...others } = jsonOf(request) ?? {};
      return nowhere(having(request, others));
    },
    (answer) => answer.status === 400,
  ),
  swapped(
    "rule-before-field",
    "max_digits below min_digits is told before a field that is invalid",
    coded("max_tries_invalid", "timeout_ms_invalid", "terminators_invalid"),
    (request) => {
      const { min_digits, max_digits, prompt_files } = jsonOf(request) ?? {};
      return nowhere(having(request, { prompt_files, min_digits, max_digits }));
    },
    coded("max_digits_below_min_digits"),
  ),
  swapped(
    "idempotency-before-400",
    "a uid that was seen decides before the body is checked",
    status(400),
    (request) =>
      uidOf(request) === undefined || !policyOf(request)?.command
        ? null
        : having(at(request, request.target.replace(/\/commands\/.*/, "/commands/answer")), {
            command_uid: uidOf(request),
          }),
    coded("command_uid_reused"),
  ),
  swapped(
    "state-before-idempotency",
    "the state decides although the uid was seen",
    (answer, request) =>
      field(answer, "Idempotent-Replayed") !== undefined &&
      is(request, "mute", "unmute", "startRecording", "leaveRoom", "stopRecording"),
    anew,
    status(409),
  ),
  swapped(
    "cooldown-before-idempotency",
    "a cooldown decides although the uid was seen",
    (answer) => field(answer, "Idempotent-Replayed") !== undefined,
    (request, { taken }) => {
      const group = policyOf(request)?.group ?? "";
      // Only while it is sure to be refused: else it would be done twice.
      return taken.since(request, group) < (groupMs[group] ?? 0) * 0.8 ? anew(request) : null;
    },
    status(429),
  ),
  cooldownFirst(
    "state",
    "a cooldown decides before the state",
    (answer) => answer.status === 409 && !codeOf(answer).startsWith("command_uid"),
  ),
  cooldownFirst("reuse", "a cooldown decides although the uid belongs to another command", coded("command_uid_reused")),
];
