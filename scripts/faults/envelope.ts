/** Faults of the envelope of errors and of the form of successes. */
import type { Fault } from "./fault";
import { type HttpAnswer, jsonOf, pathOf, withBody, withField, within, withJson } from "./message";
import { answers, changed, codeOf, is, operationOf } from "./strokes";

const section2 = "contract §2, every response";

/** One text is not what the catalogue says. */
function text(code: string, error: string): Fault {
  return answers(
    [`envelope/text-${code}`, `the error ${code} has another text: "${error}"`, `error ${code}`],
    (answer) => (codeOf(answer) === code ? changed(answer, { error }) : undefined),
  );
}

/** One code is not what the catalogue says. */
function code(right: string, wrong: string): Fault {
  return answers([`envelope/code-${right}`, `the error ${right} has the code ${wrong}`, `error ${right}`], (answer) =>
    codeOf(answer) === right ? changed(answer, { code: wrong }) : undefined,
  );
}

/** One status is not what the catalogue says. */
function status(of: string, wrong: number): Fault {
  return answers([`envelope/status-${of}`, `the error ${of} has the status ${wrong}`, `error ${of}`], (answer) =>
    codeOf(answer) === of ? { ...answer, status: wrong } : undefined,
  );
}

const isError = ({ status, body }: HttpAnswer) => status >= 400 && body.length > 0;

export const envelope: readonly Fault[] = [
  text("not_found", "Not Found"),
  text("urls_required", "urls are required"),
  text("room_of_another_app", "Room belongs to another application"),
  text("bad_request", "Bad Request"),
  text("volume_invalid", "volume must be an integer from -4 to 5"),
  text("command_uid_reused", "command_uid already used"),
  text("session_already_unmuted", "Session is not muted"),
  text("expectation_failed", "Expectation Failed"),
  text("range_not_satisfiable", "Range Not Satisfiable"),
  text("did_taken", "Number already assigned"),
  code("room_name_taken", "conference_name_taken"),
  code("invalid_api_key", "unauthorized"),
  code("no_recording_in_progress", "not_recording"),
  code("request_header_fields_too_large", "headers_too_large"),
  code("dead_letter_not_found", "not_found"),
  status("offset_sec_invalid", 422),
  status("session_not_answered", 400),
  status("missing_app_id", 401),
  status("app_not_found", 410),
  status("upgrade_not_supported", 426),
  answers(
    [
      "envelope/text-one-operation",
      "Session not found has another text for playback/seek alone",
      "error session_not_found",
    ],
    (answer, request) => {
      if (codeOf(answer) !== "session_not_found" || !is(request, "seekPlayback")) return undefined;
      return changed(answer, { error: "Session was not found" });
    },
  ),
  answers(["envelope/extra-field", "each error repeats its status in the body", section2], (answer) =>
    isError(answer) ? changed(answer, { status: answer.status }) : undefined,
  ),
  answers(["envelope/extra-field-415", "the 415 has a field more", section2], (answer) =>
    answer.status === 415 ? changed(answer, { request_id: "1" }) : undefined,
  ),
  answers(["envelope/no-code", "the 413 has no code", section2], (answer) =>
    answer.status === 413 ? changed(answer, { code: undefined }) : undefined,
  ),
  answers(["envelope/success-in-words", 'the 405 says "false" in place of false', section2], (answer) =>
    answer.status === 405 ? changed(answer, { success: "false" }) : undefined,
  ),
  answers(["envelope/detail-missing", "an unknown field is not named", "error unknown_field"], (answer) =>
    codeOf(answer) === "unknown_field" ? changed(answer, { detail: undefined }) : undefined,
  ),
  answers(
    ["envelope/detail-wrong-field", "the detail names another field than the unknown one", "error unknown_field"],
    (answer) => (codeOf(answer) === "unknown_field" ? changed(answer, { detail: { field: "body" } }) : undefined),
  ),
  answers(
    ["envelope/detail-wrong-room", "a taken name comes with the id of no room", "error room_name_taken"],
    (answer) => {
      if (codeOf(answer) !== "room_name_taken") return undefined;
      const room_id = String(within(jsonOf(answer), "detail").room_id).replace(/.$/, (last) =>
        last === "0" ? "1" : "0",
      );
      return changed(answer, { detail: { room_id } });
    },
  ),
  answers(["envelope/html-404", "a route that is not there is answered by a page", section2], (answer) => {
    if (codeOf(answer) !== "not_found") return undefined;
    return withField(withBody(answer, "<h1>Not found</h1>"), "Content-Type", "text/html; charset=utf-8");
  }),
  answers(["envelope/empty-400", "bytes that are no HTTP are answered without a body", section2], (answer) =>
    codeOf(answer) === "bad_request" ? withField(withBody(answer, ""), "Content-Type", null) : undefined,
  ),
  answers(["envelope/plain-431", "too many header fields are answered in plain text", section2], (answer) =>
    answer.status === 431
      ? withField(withBody(answer, "Request header fields too large"), "Content-Type", "text/plain; charset=utf-8")
      : undefined,
  ),
  answers(["envelope/problem-json", "errors are application/problem+json", section2], (answer) =>
    isError(answer) ? withField(answer, "Content-Type", "application/problem+json; charset=utf-8") : undefined,
  ),
  answers(["envelope/no-charset", "one success has no charset", section2], (answer, request) =>
    is(request, "listRooms") && answer.status === 200
      ? withField(answer, "Content-Type", "application/json")
      : undefined,
  ),
  answers(["envelope/admin-without-success", "GET /admin/nodes does not say success", section2], (answer, request) =>
    is(request, "listNodes") && answer.status === 200 && jsonOf(answer)
      ? changed(answer, { success: undefined })
      : undefined,
  ),
  answers(["envelope/success-outside-admin", "a session says success, too", section2], (answer, request) =>
    is(request, "getSession") && answer.status === 200 && jsonOf(answer)
      ? changed(answer, { success: true })
      : undefined,
  ),
  answers(["envelope/wrapped", "rooms are wrapped in data", section2], (answer, request) => {
    const json = is(request, "getRoom") && answer.status === 200 ? jsonOf(answer) : null;
    return json ? withJson(answer, { data: json }) : undefined;
  }),
  answers(["envelope/head-with-body", "HEAD is answered with a body", section2], (answer, request) => {
    if (request.method !== "HEAD" || pathOf(request) !== "/live") return undefined;
    return { ...withJson(answer, { status: "ok" }), evenToHead: true };
  }),
  answers(["envelope/head-length", "HEAD tells another length than GET", section2], (answer, request) =>
    request.method === "HEAD" && answer.status === 200 && operationOf(request) !== null
      ? withField(answer, "Content-Length", "0")
      : undefined,
  ),
  answers(
    ["envelope/admission-leak", "the 401 tells whether there is such an app", "error invalid_api_key"],
    async (answer, request, place) => {
      if (codeOf(answer) !== "invalid_api_key") return undefined;
      const app_id = request.fields.find(([name]) => name.toLowerCase() === "x-app-id")?.[1] ?? "";
      return place.secrets(app_id).length > 0
        ? undefined
        : { ...changed(answer, { error: "Unknown app" }), status: 404 };
    },
  ),
];
