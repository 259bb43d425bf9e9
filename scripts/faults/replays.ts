/** Faults of idempotency: what a command_uid that was seen before leads to. */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Fault, Place } from "./fault";
import { anew, isTaken, policyOf, uidOf } from "./memory";
import { field, type HttpAnswer, type HttpRequest, jsonOf, withField } from "./message";
import { answers, changed, codeOf, detailOf, is, operationOf, refused, subjectOf } from "./strokes";

const step10 = "contract §3, step 10: command_uid";

const isReplay = (answer: HttpAnswer) => field(answer, "Idempotent-Replayed") !== undefined;

/** Answers that are given again. */
function replays(name: string, about: string, change: Parameters<typeof answers>[1]): Fault {
  return answers([`replays/${name}`, about, step10], (answer, request, place) =>
    isReplay(answer) && !request.passed ? change(answer, request, place) : undefined,
  );
}

const reused = (answer: HttpAnswer) =>
  refused(answer, 409, "command_uid_reused", "command_uid already used for a different command");

/** Remembers a uid of a subject when it should, and forgets none. */
function remembering(
  name: string,
  about: string,
  remembers: (request: HttpRequest, answer: HttpAnswer) => boolean,
  change: (answer: HttpAnswer) => HttpAnswer,
): Fault {
  return {
    name: `replays/${name}`,
    about,
    clause: step10,
    start: (place) => {
      const uids = new Set<string>();
      return {
        wants: ({ method }) => method === "POST",
        exchange: async (request, next) => {
          const uid = uidOf(request);
          const answer = await next(request);
          if (uid === undefined || !policyOf(request)?.command) return answer;
          const key = `${subjectOf(request)} ${uid}`;
          if (uids.has(key) && answer.status === 202) {
            place.strike();
            return change(answer);
          }
          if (remembers(request, answer)) uids.add(key);
          return answer;
        },
      };
    },
  };
}

/** Does it once more, as soon as the cooldown lets it: a gateway with this fault would not wait. */
async function again(answer: HttpAnswer, request: HttpRequest, place: Place): Promise<HttpAnswer | undefined> {
  const once = await place.ask(anew(request));
  if (codeOf(once) === "command_rate_limited") {
    await delay(Number(detailOf(once).retry_after_ms) + 5);
    return (await place.ask(anew(request))).status === 202 ? answer : undefined;
  }
  return once.status === 202 ? answer : undefined;
}

export const replayed: readonly Fault[] = [
  replays("executed-twice", "what is sent again is done again", again),
  replays("executed-twice-rooms", "what is sent again to a room is done again", (answer, request, place) =>
    policyOf(request)?.command?.startsWith("room/") ? again(answer, request, place) : undefined,
  ),
  replays("done-anew", "what is sent again is a new command", (_, request, place) => place.ask(anew(request))),
  replays("without-header", "an answer that is given again does not say so", (answer) =>
    withField(answer, "Idempotent-Replayed", null),
  ),
  replays("header-one", "an answer that is given again says 1", (answer) =>
    withField(answer, "Idempotent-Replayed", "1"),
  ),
  replays("other-operation", "an answer that is given again has another operation_id", (answer) =>
    changed(answer, { operation_id: randomUUID() }),
  ),
  replays("other-timeout", "an answer that is given again has another timeout_ms", (answer) =>
    changed(answer, { timeout_ms: 0 }),
  ),
  replays("status-200", "an answer that is given again is a 200", (answer) => ({ ...answer, status: 200 })),
  replays("status-completed", "an answer that is given again says completed", (answer) =>
    changed(answer, { status: "completed" }),
  ),
  replays("conflict", "what is sent again is refused", (answer) => reused(answer)),
  replays("after-the-end", "after the end of the call what is sent again is a 404", async (_, request, place) => {
    const state = {
      ...request,
      method: "GET",
      target: `/api/v1/sessions/${subjectOf(request)}`,
      body: Buffer.alloc(0),
    };
    if (!request.target.startsWith("/api/v1/sessions/")) return undefined;
    const now = await place.ask(state);
    return now.status === 404 ? now : undefined;
  }),
  answers(["replays/header-at-first", "the first answer says that it is given again", step10], (answer, request) =>
    isTaken(answer) && uidOf(request) !== undefined && is(request, "hangup")
      ? { ...answer, fields: [...answer.fields, ["Idempotent-Replayed", "true"]] }
      : undefined,
  ),
  answers(
    ["replays/other-command", "a uid of another command is taken", "error command_uid_reused"],
    (answer, request, place) =>
      codeOf(answer) === "command_uid_reused" && !request.passed ? place.ask(anew(request)) : undefined,
  ),
  {
    name: "replays/other-body",
    about: "a uid with another body is given the first answer again",
    clause: "error command_uid_reused",
    start: (place) => {
      const first = new Map<string, HttpAnswer>();
      return {
        wants: ({ method }) => method === "POST",
        exchange: async (request, next) => {
          const answer = await next(request);
          const key = `${operationOf(request)} ${subjectOf(request)} ${uidOf(request)}`;
          if (uidOf(request) !== undefined && isTaken(answer)) first.set(key, answer);
          const before = first.get(key);
          if (codeOf(answer) !== "command_uid_reused" || !before) return answer;
          place.strike();
          return { ...before, fields: [...before.fields, ["Idempotent-Replayed", "true"]] };
        },
      };
    },
  },
  {
    name: "replays/bytes-compared",
    about: "bodies are compared as they were written, without their defaults",
    clause: "contract §3, step 10: compared after validation and defaults",
    start: (place) => {
      const first = new Map<string, string>();
      return {
        wants: ({ method }) => method === "POST",
        exchange: async (request, next) => {
          const answer = await next(request);
          const key = `${operationOf(request)} ${subjectOf(request)} ${uidOf(request)}`;
          const text = JSON.stringify(Object.entries(jsonOf(request) ?? {}).toSorted());
          if (uidOf(request) !== undefined && isTaken(answer)) first.set(key, text);
          if (!isReplay(answer) || first.get(key) === text) return answer;
          place.strike();
          return reused(answer);
        },
      };
    },
  },
  remembering(
    "uid-kept-by-refusal",
    "a uid that the state refused is not free",
    (_, answer) => answer.status === 409 && !codeOf(answer).startsWith("command_uid"),
    reused,
  ),
  remembering(
    "uid-kept-by-cooldown",
    "a uid that came too soon is not free",
    (_, answer) => codeOf(answer) === "command_rate_limited",
    reused,
  ),
  remembering(
    "uid-kept-by-invalid",
    "a uid whose body was invalid is not free",
    (_, answer) => answer.status === 400,
    reused,
  ),
  {
    name: "replays/by-app",
    about: "a uid is one for all calls of an app",
    clause: step10,
    start: (place) => {
      const uids = new Map<string, string>();
      return {
        wants: ({ method }) => method === "POST",
        exchange: async (request, next) => {
          const uid = uidOf(request);
          const answer = await next(request);
          if (uid === undefined || answer.status !== 202) return answer;
          const key = `${field(request, "X-App-ID")} ${uid}`;
          const subject = uids.get(key);
          uids.set(key, subject ?? subjectOf(request));
          if (subject === undefined || subject === subjectOf(request)) return answer;
          place.strike();
          return reused(answer);
        },
      };
    },
  },
];
