/** Faults of what commands do: each is taken, and does something else. */
import type { Fault } from "./fault";
import { answers, bodies, changed, is, requests } from "./strokes";

export const effects: readonly Fault[] = [
  requests(["effects/pause-does-nothing", "pause does nothing", "operation pausePlayback"], (request) =>
    is(request, "pausePlayback") ? { ...request, target: request.target.replace(/pause$/, "resume") } : undefined,
  ),
  bodies(["effects/seek-to-0", "seek always begins anew", "operation seekPlayback"], ["seekPlayback"], (body) =>
    typeof body.offset_sec === "number" && body.offset_sec > 0 && body.offset_sec <= 86_400
      ? { ...body, offset_sec: 0 }
      : undefined,
  ),
  bodies(
    ["effects/offset-ignored", "a playback begins at the beginning", "operation startPlayback"],
    ["startPlayback"],
    (body) => {
      const { offset_sec, urls, ...others } = body;
      const plays =
        typeof offset_sec === "number" &&
        offset_sec > 0 &&
        offset_sec <= 86_400 &&
        Array.isArray(urls) &&
        urls.length === 1;
      return plays ? { ...others, urls } : undefined;
    },
  ),
  bodies(
    ["effects/first-file-only", "of a list the first file alone is played", "operation startPlayback"],
    ["startPlayback"],
    (body) => {
      const { urls } = body;
      return Array.isArray(urls) && urls.length > 1 && urls.length <= 128 && body.offset_sec === undefined
        ? { ...body, urls: urls.slice(0, 1) }
        : undefined;
    },
  ),
  bodies(["effects/silence-long", "silence lasts a second longer", "operation playSilence"], ["playSilence"], (body) =>
    typeof body.duration_ms === "number" && body.duration_ms > 0 && body.duration_ms < 60_000
      ? { ...body, duration_ms: body.duration_ms + 1000 }
      : undefined,
  ),
  bodies(
    ["effects/one-try", "digits are asked for once", "operation playAndGetDigits"],
    ["playAndGetDigits"],
    (body) =>
      typeof body.max_tries === "number" && body.max_tries > 1 && body.max_tries <= 10
        ? { ...body, max_tries: 1 }
        : undefined,
  ),
  bodies(
    ["effects/terminators-ignored", "the terminator is always #", "operation playAndGetDigits"],
    ["playAndGetDigits"],
    (body) =>
      typeof body.terminators === "string" && /^[0-9A-D*#]{0,16}$/.test(body.terminators) && body.terminators !== "#"
        ? { ...body, terminators: "#" }
        : undefined,
  ),
  bodies(
    ["effects/regex-ignored", "digits_regex is ignored", "operation playAndGetDigits"],
    ["playAndGetDigits"],
    (body) => {
      const { digits_regex, ...others } = body;
      return typeof digits_regex === "string" && /^[[\]\d{},-]+$/.test(digits_regex) ? others : undefined;
    },
  ),
  bodies(
    ["effects/min-digits-ignored", "min_digits is always 1", "operation playAndGetDigits"],
    ["playAndGetDigits"],
    (body) =>
      typeof body.min_digits === "number" && body.min_digits > 1 && body.min_digits <= Number(body.max_digits)
        ? { ...body, min_digits: 1 }
        : undefined,
  ),
  bodies(
    ["effects/digit-timeout", "digits may be five seconds apart", "operation playAndGetDigits"],
    ["playAndGetDigits"],
    (body) =>
      typeof body.digit_timeout_ms === "number" && body.digit_timeout_ms >= 100 && body.digit_timeout_ms < 5000
        ? { ...body, digit_timeout_ms: 6000 }
        : undefined,
  ),
  bodies(["effects/cause-ignored", "the cause of a hangup is ignored", "operation hangup"], ["hangup"], (body) => {
    const { cause, ...others } = body;
    return cause === "USER_BUSY" || cause === "CALL_REJECTED" || cause === "NO_ANSWER" ? others : undefined;
  }),
  answers(
    ["effects/timeout-ms", "timeout_ms of a playback is two seconds", "operation startPlayback"],
    (answer, request) =>
      is(request, "startPlayback") && answer.status === 202 ? changed(answer, { timeout_ms: 2000 }) : undefined,
  ),
  answers(["effects/operation-id", "operation_id is no uuid", "operation answer"], (answer, request) =>
    is(request, "answer") && answer.status === 202 ? changed(answer, { operation_id: "1" }) : undefined,
  ),
  answers(["effects/status-200", "answer is a 200", "operation answer"], (answer, request) =>
    is(request, "answer") && answer.status === 202 ? { ...answer, status: 200 } : undefined,
  ),
];
