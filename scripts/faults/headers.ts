/** Faults of header fields. */
import type { Fault } from "./fault";
import { field, type HttpAnswer, pathOf, withField } from "./message";
import { answers, codeOf, is, operationOf, requestId } from "./strokes";

const section2 = "contract §2, every response";

/** A field is not there where it should be. */
function without(name: string, header: string, when: (answer: HttpAnswer) => boolean, where: string): Fault {
  return answers([`headers/${name}`, `no ${header} ${where}`, section2], (answer) =>
    when(answer) && field(answer, header) !== undefined ? withField(answer, header, null) : undefined,
  );
}

/** A field has another value than it should. */
function other(
  name: string,
  header: string,
  about: string,
  value: (given: string, answer: HttpAnswer) => string | undefined,
): Fault {
  return answers([`headers/${name}`, about, section2], (answer) => {
    const given = field(answer, header);
    const wrong = given === undefined ? undefined : value(given, answer);
    return wrong === undefined || wrong === given ? undefined : withField(answer, header, wrong);
  });
}

export const headers: readonly Fault[] = [
  without("no-request-id-404", "X-Request-ID", ({ status }) => status === 404, "on a 404"),
  without(
    "no-request-id-metrics",
    "X-Request-ID",
    (answer) => /^text\/plain/.test(field(answer, "Content-Type") ?? ""),
    "on /metrics",
  ),
  without(
    "no-request-id-bad-bytes",
    "X-Request-ID",
    (answer) => codeOf(answer) === "bad_request",
    "on bytes that are no HTTP",
  ),
  without("no-cache-control-409", "Cache-Control", ({ status }) => status === 409, "on a 409"),
  without("no-cache-control-408", "Cache-Control", ({ status }) => status === 408, "on a 408"),
  without("no-rate-limit-202", "RateLimit", ({ status }) => status === 202, "on a 202"),
  without("no-rate-limit-policy-403", "RateLimit-Policy", ({ status }) => status === 403, "on a 403"),
  without("no-rate-limit-405", "Allow", ({ status }) => status === 405, "on a 405"),
  without("no-retry-after-429", "Retry-After", (answer) => codeOf(answer) === "rate_limited", "on a request too many"),
  without(
    "no-retry-after-cooldown",
    "Retry-After",
    (answer) => codeOf(answer) === "command_rate_limited",
    "on a command too soon",
  ),
  other("retry-after-zero", "Retry-After", "Retry-After is 0", () => "0"),
  other("retry-after-fraction", "Retry-After", "Retry-After is a fraction", () => "0.5"),
  other("retry-after-date", "Retry-After", "Retry-After is a date", () => new Date(Date.now() + 1000).toUTCString()),
  other("retry-after-long", "Retry-After", "a command too soon is to wait for a minute", (_, answer) =>
    codeOf(answer) === "command_rate_limited" ? "60" : undefined,
  ),
  other("allow-incomplete", "Allow", "Allow leaves out HEAD", (given) => given.replace(/, HEAD|HEAD, /, "")),
  other("allow-too-much", "Allow", "Allow names PUT, which is not there", (given) => `${given}, PUT`),
  other("cache-control-public", "Cache-Control", "errors may be stored", (_, answer) =>
    answer.status >= 400 ? "public, max-age=60" : undefined,
  ),
  other("rate-limit-grows", "RateLimit", "what is left grows with each request", (given) =>
    given.replace(/r=(\d+)/, (_, left: string) => `r=${20_000 - Number(left)}`),
  ),
  other("rate-limit-policy-wrong", "RateLimit-Policy", "the policy names another quota", (given) =>
    given.replace(/q=(\d+)/, (_, quota: string) => `q=${Number(quota) * 60}`),
  ),
  other("rate-limit-window", "RateLimit-Policy", "the policy names a window of a minute", (given) =>
    given.replace("w=1", "w=60"),
  ),
  other("rate-limit-without-name", "RateLimit", "the policy has no name in RateLimit", (given) =>
    given.replace('"app";', ""),
  ),
  other("request-id-lower-case", "X-Request-ID", "the client's request id comes back in lower case", (given) =>
    given.toLowerCase(),
  ),
  answers(["headers/request-id-not-echoed", "the client's request id is replaced", section2], (answer, request) =>
    requestId(request) !== undefined && field(answer, "X-Request-ID") === requestId(request)
      ? withField(answer, "X-Request-ID", "0b0c7cf1-65c0-4f7e-a7cd-1f3a1b0a5f1e")
      : undefined,
  ),
  answers(
    ["headers/request-id-invalid-echoed", "any request id is repeated, whatever is in it", section2],
    (answer, request) => {
      const id = requestId(request);
      return id && field(answer, "X-Request-ID") !== id ? withField(answer, "X-Request-ID", id) : undefined;
    },
  ),
  answers(["headers/request-id-long", "a request id of 129 characters is repeated", section2], (answer, request) => {
    const id = requestId(request);
    return id?.length === 129 && /^[\w.-]+$/.test(id) ? withField(answer, "X-Request-ID", id) : undefined;
  }),
  answers(
    ["headers/request-id-constant", "all request ids that the gateway makes are the same", section2],
    (answer, request) =>
      field(answer, "X-Request-ID") !== requestId(request) && field(answer, "X-Request-ID")
        ? withField(answer, "X-Request-ID", "0b0c7cf1-65c0-4f7e-a7cd-1f3a1b0a5f1e")
        : undefined,
  ),
  answers(["headers/cors-for-all", "every page may ask", "contract §2, CORS is off"], (answer, request) =>
    field(request, "Origin") === undefined ? undefined : withField(answer, "Access-Control-Allow-Origin", "*"),
  ),
  answers(["headers/metrics-type", "metrics have no version", "operation getMetrics"], (answer, request) =>
    is(request, "getMetrics") && answer.status === 200
      ? withField(answer, "Content-Type", "text/plain; charset=utf-8")
      : undefined,
  ),
  answers(["headers/head-other-type", "HEAD has another type than GET", section2], (answer, request) =>
    request.method === "HEAD" && operationOf(request) !== null && pathOf(request) === "/samples/tone.wav"
      ? withField(answer, "Content-Type", "application/octet-stream")
      : undefined,
  ),
  answers(
    ["headers/no-store-recording", "a recording may be stored by anybody", "operation getRecording"],
    (answer, request) =>
      is(request, "getRecording") && field(answer, "Content-Type") === "audio/wav"
        ? withField(answer, "Cache-Control", "public, max-age=3600")
        : undefined,
  ),
];
