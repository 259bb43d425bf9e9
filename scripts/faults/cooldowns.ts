/** Faults of cooldowns: which commands share a window, how long it is, and what uses it up. */
import { setTimeout as delay } from "node:timers/promises";
import type { Fault, Place } from "./fault";
import { groupMs, isTaken, policyOf, Taken } from "./memory";
import { type HttpAnswer, type HttpRequest, jsonOf, withField } from "./message";
import { answers, at, changed, codeOf, detailOf, is, type OperationId, refused, subjectOf } from "./strokes";

const section4 = "contract §4, cooldowns";

/** A command that should be refused is taken once its time has come. */
function missing(name: string, about: string, when: (request: HttpRequest) => boolean): Fault {
  return answers([`cooldowns/${name}`, about, section4], async (answer, request, place) => {
    if (codeOf(answer) !== "command_rate_limited" || request.passed) return undefined;
    if (!when(request)) return undefined;
    const left = Number(detailOf(answer).retry_after_ms);
    // As if there were no window: the client learns of the wait by its clock alone.
    await delay(left + 5);
    return place.ask(request);
  });
}

/** The refusal that a gateway with this fault would give. */
async function tooSoon(request: HttpRequest, place: Place, leftMs: number): Promise<HttpAnswer> {
  const like = await place.ask({
    ...at({ ...request, method: "GET" }, "/api/v1/sessions?limit=1"),
    body: Buffer.alloc(0),
  });
  const retry_after_ms = Math.max(1, Math.ceil(leftMs));
  return refused(like, 429, "command_rate_limited", "Command rate limited", {
    detail: { retry_after_ms },
    retryAfter: String(Math.ceil(retry_after_ms / 1000)),
  });
}

/**
 * A command that should be taken is refused.
 * @param left how long it still has to wait, by what was taken before
 * @param mark what is remembered of each answer
 */
function added(
  name: string,
  about: string,
  left: (request: HttpRequest, taken: Taken) => number,
  mark: (request: HttpRequest, answer: HttpAnswer, taken: Taken) => void = ofGroup,
): Fault {
  return {
    name: `cooldowns/${name}`,
    about,
    clause: section4,
    start: (place) => {
      const taken = new Taken();
      return {
        wants: ({ method }) => method === "POST",
        exchange: async (request, next) => {
          const wait = request.passed || !policyOf(request)?.group ? 0 : left(request, taken);
          if (wait > 0 && jsonOf(request)) {
            place.strike();
            return tooSoon(request, place, wait);
          }
          const answer = await next(request);
          mark(request, answer, taken);
          return answer;
        },
      };
    },
  };
}

function ofGroup(request: HttpRequest, answer: HttpAnswer, taken: Taken): void {
  const group = policyOf(request)?.group;
  if (group && isTaken(answer)) taken.mark(request, group);
}

/** The window of another group holds, too. */
function wrongGroup(name: string, about: string, of: OperationId, group: string): Fault {
  return added(name, about, (request, taken) => {
    return is(request, of) ? (groupMs[group] ?? 0) - taken.since(request, group) : 0;
  });
}

export const cooldowns: readonly Fault[] = [
  wrongGroup("wrong-group-stop-recording", "record/stop is in the group heavy", "stopRecording", "heavy"),
  wrongGroup("wrong-group-silence", "playback/silence waits for the group seek, too", "playSilence", "seek"),
  wrongGroup("wrong-group-mute", "conference/mute is in the group conference", "mute", "conference"),
  wrongGroup(
    "wrong-group-digits",
    "play_and_get_digits waits for the group playback, too",
    "playAndGetDigits",
    "playback",
  ),
  wrongGroup("wrong-group-room", "the volume of a room waits for room play", "setRoomVolume", "conference_play"),
  missing("own-window-unmute", "unmute does not wait for mute", (request) => is(request, "unmute")),
  missing("own-window-record", "record/start does not wait for play_and_get_digits", (request) =>
    is(request, "startRecording"),
  ),
  missing("missing-seek", "playback/seek has no cooldown", (request) => is(request, "seekPlayback")),
  missing("missing-room-pause", "pause of a room has no cooldown", (request) => is(request, "pauseRoom")),
  missing("missing-silence", "playback/silence does not wait for playback/start", (request) =>
    is(request, "playSilence"),
  ),
  answers(
    ["cooldowns/too-short", "heavy commands wait for a second alone", section4],
    async (answer, request, place) => {
      const heavy =
        policyOf(request)?.group === "heavy" && codeOf(answer) === "command_rate_limited" && !request.passed;
      if (!heavy) return undefined;
      const left = Number(detailOf(answer).retry_after_ms);
      if (left > 1000)
        return withField(changed(answer, { detail: { retry_after_ms: left - 1000 } }), "Retry-After", "1");
      await delay(left + 5);
      return place.ask(request);
    },
  ),
  added("too-long", "commands of the group playback wait for a second", (request, taken) =>
    policyOf(request)?.group === "playback" ? 1000 - taken.since(request, "playback") : 0,
  ),
  added("seek-too-long", "commands of the group seek wait for 300 ms", (request, taken) =>
    policyOf(request)?.group === "seek" ? 300 - taken.since(request, "seek") : 0,
  ),
  added(
    "used-by-refused-state",
    "what the state refuses uses up its cooldown",
    (request, taken) => {
      const group = policyOf(request)?.group ?? "";
      return (groupMs[group] ?? 0) - taken.since(request, group);
    },
    (request, answer, taken) => {
      const group = policyOf(request)?.group;
      if (group && answer.status === 409 && codeOf(answer).startsWith("session_")) taken.mark(request, group);
    },
  ),
  added(
    "used-by-invalid",
    "what is invalid uses up its cooldown",
    (request, taken) => {
      const group = policyOf(request)?.group ?? "";
      return group === "" ? 0 : (groupMs[group] ?? 0) - taken.since(request, group);
    },
    (request, answer, taken) => {
      const group = policyOf(request)?.group;
      if (group && answer.status === 400) taken.mark(request, group);
    },
  ),
  {
    name: "cooldowns/shared-by-app",
    about: "the window of heavy commands is one for all calls of an app",
    clause: section4,
    start: (place) => {
      const last = new Map<string, { readonly at: number; readonly subject: string }>();
      return {
        wants: ({ method }) => method === "POST",
        exchange: async (request, next) => {
          const app = request.fields.find(([name]) => /^x-app-id$/i.test(name))?.[1] ?? "";
          const heavy = policyOf(request)?.group === "heavy" && !request.passed;
          const before = last.get(app);
          const left = before ? 2000 - (performance.now() - before.at) : 0;
          if (heavy && before && left > 0 && before.subject !== subjectOf(request)) {
            place.strike();
            return tooSoon(request, place, left);
          }
          const answer = await next(request);
          if (heavy && isTaken(answer)) last.set(app, { at: performance.now(), subject: subjectOf(request) });
          return answer;
        },
      };
    },
  },
  answers(["cooldowns/detail-seconds", "retry_after_ms is in seconds", "error command_rate_limited"], (answer) =>
    codeOf(answer) === "command_rate_limited"
      ? changed(answer, { detail: { retry_after_ms: Math.ceil(Number(detailOf(answer).retry_after_ms) / 1000) } })
      : undefined,
  ),
  answers(
    ["cooldowns/detail-whole", "retry_after_ms is always the whole window", "error command_rate_limited"],
    (answer, request) =>
      codeOf(answer) === "command_rate_limited"
        ? changed(answer, { detail: { retry_after_ms: groupMs[policyOf(request)?.group ?? ""] ?? 0 } })
        : undefined,
  ),
  answers(["cooldowns/detail-missing", "nobody says how long to wait", "error command_rate_limited"], (answer) =>
    codeOf(answer) === "command_rate_limited" ? changed(answer, { detail: undefined }) : undefined,
  ),
  answers(["cooldowns/status-503", "a command too soon is a 503", "error command_rate_limited"], (answer) =>
    codeOf(answer) === "command_rate_limited" ? withField({ ...answer, status: 503 }, "Retry-After", "1") : undefined,
  ),
];
