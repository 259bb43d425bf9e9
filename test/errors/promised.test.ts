/**
 * The texts that clients compare: each code with its status and message, written out once more, because everything else
 * that names them is generated from one place and would change along with it. An error that is new adds a line here; a
 * line that is here never changes, and no code gets another meaning.
 */
import { expect, test } from "@jest/globals";
import { errors } from "../../generated/operations";

/** Without a status: only said in a `command.result`. */
const promised = {
  bad_request: "400 Bad request",
  request_header_fields_too_large: "431 Request header fields too large",
  request_timed_out: "408 Request timed out",
  expectation_failed: "417 Expectation failed",
  upgrade_not_supported: "400 Upgrade not supported",
  server_shutting_down: "503 Server is shutting down",
  server_overloaded: "503 Server is overloaded",
  not_found: "404 Not found",
  method_not_allowed: "405 Method not allowed",
  missing_app_id: "400 Missing X-App-ID header",
  invalid_app_id_header: "400 Invalid X-App-ID format",
  missing_api_key: "401 Missing API key",
  invalid_api_key: "401 Invalid API key",
  api_key_not_checked: "500 Internal error validating API key",
  admin_not_configured: "503 Admin API not configured",
  missing_admin_key: "401 Missing X-Admin-API-Key header",
  invalid_admin_key: "401 Invalid admin API key",
  rate_limited: "429 Rate limit exceeded",
  unsupported_content_type: "415 Content-Type must be application/json",
  request_body_too_large: "413 Request body too large",
  invalid_request_body: "400 Invalid request body",
  invalid_command: "400 Invalid command",
  unknown_field: "400 Unknown field in request body",
  invalid_app_id: "400 Invalid app_id format",
  limit_invalid: "400 limit must be an integer from 1 to 100",
  invalid_cursor: "400 Invalid cursor",
  invalid_command_uid: "400 Invalid command_uid format",
  cause_invalid: "400 cause must be a Q.850 cause name such as NORMAL_CLEARING",
  urls_required: "400 urls is required",
  urls_too_many: "400 urls must not have more than 128 entries",
  urls_invalid: "400 urls must be HTTP or HTTPS URLs of at most 2048 characters",
  offset_sec_invalid: "400 offset_sec must be an integer from 0 to 86400",
  offset_sec_with_several_urls: "400 offset_sec is not allowed with multiple urls",
  invalid_files_invalid: "400 invalid_files must be 1 to 128 HTTP or HTTPS URLs of at most 2048 characters",
  min_digits_invalid: "400 min_digits must be an integer from 1 to 128",
  max_digits_invalid: "400 max_digits must be an integer from 1 to 128",
  max_tries_invalid: "400 max_tries must be an integer from 1 to 10",
  timeout_ms_invalid: "400 timeout_ms must be an integer from 100 to 600000",
  digit_timeout_ms_invalid: "400 digit_timeout_ms must be an integer from 100 to 600000",
  terminators_invalid: "400 terminators must be at most 16 characters of 0-9, A-D, * and #",
  digits_regex_invalid: "400 digits_regex must be an RE2 expression of at most 256 characters",
  max_digits_below_min_digits: "400 max_digits must not be less than min_digits",
  webhook_url_invalid: "400 webhook_url must be empty or an HTTP or HTTPS URL of at most 2048 characters",
  webhook_url_must_use_https: "400 webhook_url must use HTTPS",
  webhook_url_is_private: "400 webhook_url must not be a private or loopback address",
  api_key_invalid: "400 api_key must be 16 to 256 printable ASCII characters without spaces",
  rate_limit_invalid: "400 rate_limit must be an integer from 0 to 10000",
  events_invalid: "400 events must be an array of event names, each at most once",
  dids_invalid: "400 dids must be an array of at most 1000 numbers, each exact or ending in *",
  did_invalid: "400 did must be 1 to 64 characters of A-Z, a-z, 0-9, +, ., _, # and -",
  caller_id_invalid: "400 caller_id must be 1 to 64 characters of A-Z, a-z, 0-9, +, ., _, # and -",
  script_invalid: "400 script must be an array of at most 100 steps, each a wait, wait_for, press, tone or hangup",
  session_not_found: "404 Session not found",
  session_of_another_app: "403 Session belongs to a different application",
  app_not_found: "404 App not found",
  command_uid_reused: "409 command_uid already used for a different command",
  command_uid_pending: "409 command_uid is still being processed",
  embedded_engine_off: "503 Embedded engine is off",
  not_supported: "501 Not supported by this media server",
  did_taken: "409 Number already assigned to another app",
  no_app_takes_number: "409 No app takes this number",
  command_rate_limited: "429 Command rate limited",
  media_server_unavailable: "503 Media server unavailable",
  media_server_timed_out: "504 Media server timed out",
  server_draining: "503 Server is draining",
  store_unavailable: "503 Store unavailable",
  internal_error: "500 Internal server error",
  no_active_playback: "No active playback",
  stopped_before_it_began: "Stopped before it began",
  no_file_could_be_played: "No file could be played",
  session_ended: "Session ended",
};

test("every error says what was promised", () => {
  const said = Object.entries(errors).map(([code, { status, message }]) => [
    code,
    status === null ? message : `${status} ${message}`,
  ]);
  expect(Object.fromEntries(said)).toEqual(promised);
});

test("no two codes say the same", () => {
  const texts = Object.values(promised);
  expect(new Set(texts).size).toBe(texts.length);
});
