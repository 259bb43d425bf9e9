/** Faults of the administration. */
import type { Fault } from "./fault";
import {
  type HttpAnswer,
  type HttpRequest,
  isObject,
  type Json,
  jsonOf,
  listIn,
  withBody,
  withField,
  withJson,
} from "./message";
import { answers, bodies, changed, codeOf, is, type OperationId, refused, requests, subjectOf } from "./strokes";

const section6 = "contract §6, administration";

const ok = (answer: HttpAnswer, request: HttpRequest, ...ids: readonly OperationId[]) =>
  is(request, ...ids) && answer.status === 200 ? jsonOf(answer) : null;

/** A value of an app that is wrong wherever it is shown. */
function shown(name: string, about: string, change: (app: Json) => Json | undefined): Fault {
  return answers([`apps/${name}`, about, section6], (answer, request) => {
    const json = ok(answer, request, "getApp", "listApps", "putApp");
    if (!json) return undefined;
    if (!Array.isArray(json.apps)) {
      const values = change(json);
      return values && changed(answer, values);
    }
    const apps = listIn(json, "apps").map((app) => ({ ...app, ...change(app) }));
    return JSON.stringify(apps) === JSON.stringify(json.apps) ? undefined : changed(answer, { apps });
  });
}

/** It says that it has done it, and has not. */
function idle(name: string, about: string, of: OperationId, body: (request: HttpRequest, shown: Json) => Json): Fault {
  return {
    name: `apps/${name}`,
    about,
    clause: `operation ${of}`,
    start: (place) => ({
      wants: (head) => is(head, of),
      exchange: async (request, next) => {
        const target = request.target.replace(/\/replay$/, "");
        const before = await place.ask({ ...request, method: "GET", target, body: Buffer.alloc(0) });
        if (before.status !== 200 || request.passed) return next(request);
        place.strike();
        return withJson(before, body(request, jsonOf(before) ?? {}));
      },
    }),
  };
}

export const apps: readonly Fault[] = [
  answers(["apps/secret-shown", "GET shows the signing secret", section6], (answer, request, place) => {
    const [secret] = place.secrets(subjectOf(request));
    return ok(answer, request, "getApp") && secret !== undefined
      ? changed(answer, { webhook_secret: secret })
      : undefined;
  }),
  answers(["apps/key-shown", "the list shows keys", section6], (answer, request) => {
    const json = ok(answer, request, "listApps");
    return json
      ? changed(answer, { apps: listIn(json, "apps").map((app) => ({ ...app, api_key: "0123456789abcdef" })) })
      : undefined;
  }),
  shown("events-not-shown", "the filter is not shown", ({ events }) =>
    Array.isArray(events) && events.length > 0 ? { events: [] } : undefined,
  ),
  shown("dids-reversed", "numbers are shown in another order", ({ dids }) =>
    Array.isArray(dids) && dids.length > 1 ? { dids: dids.toReversed() } : undefined,
  ),
  shown("disabled-never", "webhooks that are turned off are not shown as such", ({ webhook_disabled_at }) =>
    typeof webhook_disabled_at === "string" ? { webhook_disabled_at: null } : undefined,
  ),
  shown("rate-limit-default", "rate_limit 0 is shown as the default", ({ rate_limit }) =>
    rate_limit === 0 ? { rate_limit: 10_000 } : undefined,
  ),
  answers(["apps/list-unsorted", "apps are listed the last first", "operation listApps"], (answer, request) => {
    const json = ok(answer, request, "listApps");
    return json && listIn(json, "apps").length > 1
      ? changed(answer, { apps: listIn(json, "apps").toReversed() })
      : undefined;
  }),
  answers(["apps/created-201", "a new app is a 201", "operation putApp"], (answer, request) =>
    ok(answer, request, "putApp")?.webhook_secret ? { ...answer, status: 201 } : undefined,
  ),
  answers(
    ["apps/secret-again", "the secret is shown at each replacement", "operation putApp"],
    (answer, request, place) => {
      const [secret] = place.secrets(subjectOf(request));
      const json = ok(answer, request, "putApp");
      return json && json.webhook_secret === undefined && secret
        ? changed(answer, { webhook_secret: secret })
        : undefined;
    },
  ),
  {
    name: "apps/fields-stay",
    about: "a field that is left out stays as it was",
    clause: section6,
    start: (place) => {
      const before = new Map<string, Json>();
      return {
        wants: (head) => is(head, "putApp"),
        exchange: async (request, next) => {
          const body = jsonOf(request) ?? {};
          const last = before.get(subjectOf(request)) ?? {};
          const merged = { ...last, ...body };
          const left = request.passed || Object.keys(merged).length === Object.keys(body).length;
          const answer = await next(
            left ? request : withField(withJson(request, merged), "Content-Type", "application/json"),
          );
          const { api_key: _, ...kept } = merged;
          if (answer.status === 200) before.set(subjectOf(request), kept);
          if (!left && answer.status === 200) place.strike();
          return answer;
        },
      };
    },
  },
  bodies(
    ["apps/filter-ignored", "whoever wants keys gets new calls, too", section6],
    ["putApp"],
    ({ events, ...others }) =>
      Array.isArray(events) &&
      events.length > 0 &&
      !events.includes("call.new") &&
      events.every((each) => typeof each === "string")
        ? { ...others, events: [...events, "call.new"] }
        : undefined,
  ),
  bodies(["apps/filter-lost", "whoever wants results gets none", section6], ["putApp"], ({ events, ...others }) =>
    Array.isArray(events) && events.includes("command.result") && events.length > 1
      ? { ...others, events: events.filter((each) => each !== "command.result") }
      : undefined,
  ),
  idle("delete-nothing", "an app that is deleted stays, and so does its key", "deleteApp", () => ({ success: true })),
  idle("replay-nothing", "dead letters are not delivered again", "replayDeadLetters", (request, before) => {
    const wanted = jsonOf(request)?.webhook_ids;
    return { success: true, replayed: Array.isArray(wanted) ? wanted.length : listIn(before, "dead_letters").length };
  }),
  answers(
    ["apps/replayed-count", "replay says that nothing was queued", "operation replayDeadLetters"],
    (answer, request) => {
      const json = ok(answer, request, "replayDeadLetters");
      return json && json.replayed !== 0 ? changed(answer, { replayed: 0 }) : undefined;
    },
  ),
  requests(
    ["apps/replay-all", "all dead letters are delivered again, whichever were named", "operation replayDeadLetters"],
    (request) =>
      is(request, "replayDeadLetters") &&
      listIn(jsonOf(request), "webhook_ids").length === 0 &&
      Array.isArray(jsonOf(request)?.webhook_ids) &&
      !/"x"|\[\]/.test(request.body.toString())
        ? withBody(request, "{}")
        : undefined,
  ),
  answers(["apps/letters-hidden", "dead letters are not listed", "operation listDeadLetters"], (answer, request) => {
    const json = ok(answer, request, "listDeadLetters");
    return json && listIn(json, "dead_letters").length > 0
      ? changed(answer, { dead_letters: [], next_cursor: null })
      : undefined;
  }),
  answers(
    ["apps/letters-attempts", "dead letters were never tried", "operation listDeadLetters"],
    (answer, request) => {
      const letters = listIn(ok(answer, request, "listDeadLetters"), "dead_letters");
      if (!letters.some(({ attempts }) => attempts !== 0)) return undefined;
      return changed(answer, { dead_letters: letters.map((letter) => ({ ...letter, attempts: 0 })) });
    },
  ),
  answers(["apps/letters-body", "dead letters hold the data alone", "operation listDeadLetters"], (answer, request) => {
    const letters = listIn(ok(answer, request, "listDeadLetters"), "dead_letters");
    if (letters.length === 0) return undefined;
    return changed(answer, {
      dead_letters: letters.map((letter) => ({ ...letter, body: isObject(letter.body) ? letter.body.data : {} })),
    });
  }),
  answers(
    ["apps/did-taken-moves", "a number that another app has moves to the new one", "error did_taken"],
    (answer, request, place) => {
      if (codeOf(answer) !== "did_taken" || request.passed) return undefined;
      const { dids: _, ...others } = jsonOf(request) ?? {};
      return place.ask(withField(withJson(request, others), "Content-Type", "application/json"));
    },
  ),
  answers(["apps/unknown-200", "an app that nobody has made is empty", "error app_not_found"], (answer, request) =>
    codeOf(answer) === "app_not_found" && is(request, "deleteApp")
      ? { ...withJson(answer, { success: true }), status: 200 }
      : undefined,
  ),
  answers(["apps/nodes-off", "no node is connected", "operation listNodes"], (answer, request) => {
    const nodes = listIn(ok(answer, request, "listNodes"), "nodes");
    return nodes.length > 0
      ? changed(answer, { nodes: nodes.map((node) => ({ ...node, connected: false })) })
      : undefined;
  }),
  answers(["apps/nodes-empty", "nodes have no calls", "operation listNodes"], (answer, request) => {
    const nodes = listIn(ok(answer, request, "listNodes"), "nodes");
    return nodes.some(({ sessions }) => sessions !== 0)
      ? changed(answer, { nodes: nodes.map((node) => ({ ...node, sessions: 0 })) })
      : undefined;
  }),
  answers(["apps/nobody-takes", "a number of nobody is a 404", "error no_app_takes_number"], (answer) =>
    codeOf(answer) === "no_app_takes_number" ? refused(answer, 404, "not_found", "Not found") : undefined,
  ),
  bodies(
    ["apps/caller-id-lost", "a simulated caller has no number", "operation createSandboxCall"],
    ["createSandboxCall"],
    ({ caller_id, ...others }) => (typeof caller_id === "string" && /^\d+$/.test(caller_id) ? others : undefined),
  ),
];
