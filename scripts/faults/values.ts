/** Faults of single fields: a value too many or too few is taken. */
import { operations } from "../../generated/operations";
import type { Fault } from "./fault";
import { bodies, type OperationId } from "./strokes";

type Test = (value: unknown) => boolean;

/** A value that should be refused is taken for another, or the other way round. */
function value(
  name: string,
  about: string,
  ids: readonly OperationId[],
  where: string,
  when: Test,
  instead: (value: unknown) => unknown,
): Fault {
  const clause = `${ids.join(", ")}: ${where}`;
  return bodies([`limits/${name}`, about, clause], ids, (body) =>
    where in body && when(body[where]) ? { ...body, [where]: instead(body[where]) } : undefined,
  );
}

const equals =
  (wanted: unknown): Test =>
  (given) =>
    given === wanted;
const text =
  (test: (given: string) => boolean): Test =>
  (given) =>
    typeof given === "string" && test(given);
const list =
  (test: (given: readonly unknown[]) => boolean): Test =>
  (given) =>
    Array.isArray(given) && test(given);
const first = (given: unknown): unknown => (Array.isArray(given) ? given[0] : given);

const commands = Object.entries(operations).filter(([, { command }]) => command !== null);
const isId = (id: string): id is OperationId => id in operations;
const commandIds = commands.map(([id]) => id).filter(isId);

const play = ["startPlayback", "playRoom"] as const;
const digits = ["playAndGetDigits"] as const;
const app = ["putApp"] as const;

export const values: readonly Fault[] = [
  value("offset-one-more", "offset_sec may be 86 401", ["seekPlayback"], "offset_sec", equals(86_401), () => 86_400),
  value(
    "offset-one-less",
    "offset_sec must be below 86 400",
    ["startPlayback"],
    "offset_sec",
    equals(86_400),
    () => 86_401,
  ),
  value(
    "offset-negative",
    "a negative offset_sec is 0",
    ["seekPlayback"],
    "offset_sec",
    (n) => Number(n) < 0,
    () => 0,
  ),
  value(
    "offset-fraction",
    "offset_sec may have a fraction",
    ["seekPlayback"],
    "offset_sec",
    (n) => typeof n === "number" && !Number.isInteger(n),
    (n) => Math.floor(Number(n)),
  ),
  value(
    "offset-text",
    "offset_sec may be a text",
    ["seekPlayback"],
    "offset_sec",
    text((t) => /^\d+$/.test(t)),
    Number,
  ),
  value(
    "duration-one-more",
    "duration_ms may be 3 600 001",
    ["playSilence"],
    "duration_ms",
    equals(3_600_001),
    () => 3_600_000,
  ),
  value("duration-one-less", "duration_ms must be above 1", ["playSilence"], "duration_ms", equals(1), () => 0),
  value("max-tries-one-more", "max_tries may be 11", digits, "max_tries", equals(11), () => 10),
  value("timeout-one-less", "timeout_ms may be 99", digits, "timeout_ms", equals(99), () => 100),
  value(
    "digit-timeout-one-more",
    "digit_timeout_ms may be 600 001",
    digits,
    "digit_timeout_ms",
    equals(600_001),
    () => 600_000,
  ),
  value("max-digits-one-less", "max_digits must be below 128", digits, "max_digits", equals(128), () => 129),
  value(
    "terminators-one-more",
    "terminators may have 17 characters",
    digits,
    "terminators",
    text((t) => t.length === 17),
    () => "#",
  ),
  value(
    "terminators-lower-case",
    "terminators may have small letters",
    digits,
    "terminators",
    text((t) => /^[0-9A-Da-d*#]+$/.test(t) && /[a-d]/.test(t)),
    () => "#",
  ),
  value(
    "regex-one-more",
    "digits_regex may have 257 characters",
    digits,
    "digits_regex",
    text((t) => t.length === 257),
    () => "[0-9]+",
  ),
  value(
    "regex-look-around",
    "digits_regex may look around",
    digits,
    "digits_regex",
    text((t) => /\(\?[=!<]/.test(t)),
    () => "[0-9]+",
  ),
  value(
    "urls-one-more",
    "129 urls are played",
    play,
    "urls",
    list((all) => all.length === 129),
    (all) => (Array.isArray(all) ? all.slice(1) : all),
  ),
  value(
    "urls-one-less",
    "128 urls are too many",
    play,
    "urls",
    list((all) => all.length === 128),
    (all) => (Array.isArray(all) ? [...all, first(all)] : all),
  ),
  value(
    "url-one-more",
    "a url may have 2049 characters",
    ["startPlayback"],
    "urls",
    list((all) => String(all[0]).length === 2049),
    (all) => [String(first(all)).slice(0, 2048)],
  ),
  value(
    "url-one-less",
    "a url must have less than 2048 characters",
    ["startPlayback"],
    "urls",
    list((all) => String(all[0]).length === 2048),
    (all) => [`${first(all)}x`],
  ),
  value(
    "url-ftp",
    "ftp urls are taken by rooms",
    ["playRoom"],
    "urls",
    list((all) => String(all[0]).startsWith("ftp:")),
    (all) => [String(first(all)).replace("ftp:", "http:")],
  ),
  value(
    "prompt-empty",
    "an empty list of prompts is taken",
    digits,
    "prompt_files",
    list((all) => all.length === 0),
    () => ["http://127.0.0.1:9/"],
  ),
  value(
    "uid-one-more",
    "command_uid may have 129 characters",
    commandIds,
    "command_uid",
    text((t) => t.length === 129),
    (t) => String(t).slice(1),
  ),
  value(
    "uid-one-less",
    "command_uid must be below 128 characters",
    commandIds,
    "command_uid",
    text((t) => t.length === 128),
    (t) => `${t}x`,
  ),
  value(
    "uid-blank",
    "command_uid may have a blank",
    commandIds,
    "command_uid",
    text((t) => t.includes(" ")),
    (t) => String(t).replaceAll(" ", "_"),
  ),
  value("uid-null", "command_uid may be null", commandIds, "command_uid", equals(null), () => "null"),
  value(
    "cause-any",
    "any cause of capital letters is taken",
    ["hangup"],
    "cause",
    text((t) => /^[A-Z_]{1,64}$/.test(t) && !/^(?:NORMAL|USER|CALL)/.test(t)),
    () => "NORMAL_CLEARING",
  ),
  value("volume-one-more", "volume may be 5", ["playRoom", "setRoomVolume"], "volume", equals(5), () => 4),
  value("volume-one-less", "volume must be above -4", ["setRoomVolume"], "volume", equals(-4), () => -5),
  value(
    "name-one-more",
    "a room's name may have 65 characters",
    ["createRoom"],
    "name",
    text((t) => t.length === 65),
    (t) => String(t).slice(1),
  ),
  value(
    "name-dash",
    "a room's name may begin with a dash",
    ["createRoom"],
    "name",
    text((t) => /^-./.test(t)),
    (t) => `x${t}`,
  ),
  value(
    "muted-text",
    "muted may be a text",
    ["joinRoom"],
    "muted",
    text(() => true),
    () => true,
  ),
  value("paused-number", "paused may be 1", ["pauseRoom"], "paused", equals(1), () => true),
  value("rate-limit-one-more", "rate_limit may be 10 001", app, "rate_limit", equals(10_001), () => 10_000),
  value(
    "key-one-less",
    "an API key may have 15 characters",
    app,
    "api_key",
    text((t) => t.length === 15),
    (t) => `${t}0`,
  ),
  value(
    "events-unknown",
    "events that do not exist may be wanted",
    app,
    "events",
    list((all) =>
      all.some(
        (each) =>
          typeof each === "string" && !/^(?:call|dtmf|digits|playback|recording|conference|command)\b/.test(each),
      ),
    ),
    () => [],
  ),
  value(
    "dids-twice",
    "a number may be given twice",
    app,
    "dids",
    list((all) => new Set(all).size < all.length),
    (all) => (Array.isArray(all) ? [...new Set(all)] : all),
  ),
  value(
    "did-star-inside",
    "a number may have a star inside",
    app,
    "dids",
    list((all) => all.some((each) => /\*./.test(String(each)))),
    (all) => (Array.isArray(all) ? all.map((each) => String(each).replaceAll("*", "")) : all),
  ),
];
