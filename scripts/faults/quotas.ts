/** Faults of quotas and of failures to authenticate: what counts, how much is let through, and what is said of it. */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Fault, Hooks, Place } from "./fault";
import { anew, Credentials, policyOf } from "./memory";
import {
  field,
  type HttpAnswer,
  type HttpRequest,
  isObject,
  type Json,
  jsonOf,
  pathOf,
  withField,
  withJson,
} from "./message";
import { answers, codeOf, is, refused, subjectOf } from "./strokes";

const step6 = "contract §3, step 6: quota";
const step5 = "contract §3, step 5: failures of an address";
/** Behind the end of a window. */
const secondMs = 1100;

/** How a quota is counted that is not the gateway's own. */
interface Counting {
  readonly windowMs?: number;
  /** Requests that are let through beyond what the app has. */
  readonly more?: number;
  /** Which answers give back what they took. */
  readonly free?: (answer: HttpAnswer, request: HttpRequest) => boolean;
}

interface Window {
  begun: number;
  used: number;
}

/** Takes the place of the gateway's quota for all apps that set a small one. */
class Quota {
  readonly #limits = new Map<string, number>();
  readonly #windows = new Map<string, Window>();
  readonly #credentials = new Credentials();

  constructor(
    private readonly place: Place,
    private readonly counting: Counting,
  ) {}

  async exchange(request: HttpRequest, next: (request: HttpRequest) => Promise<HttpAnswer>): Promise<HttpAnswer> {
    if (is(request, "putApp")) return this.#put(request, next);
    if (pathOf(request).startsWith("/admin/apps")) return this.#shown(await next(request));
    const limit = this.#limits.get(field(request, "X-App-ID") ?? "");
    if (limit === undefined || request.passed || !this.#known(request)) {
      const answer = await next(request);
      this.#credentials.see(request, answer);
      return answer;
    }
    return this.#counted(request, next, limit);
  }

  async #put(request: HttpRequest, next: (request: HttpRequest) => Promise<HttpAnswer>): Promise<HttpAnswer> {
    const limit = jsonOf(request)?.rate_limit;
    if (typeof limit !== "number" || limit < 1 || limit > 200) return next(request);
    const answer = await next(withJson(request, { ...jsonOf(request), rate_limit: 10_000 }));
    if (answer.status === 200) this.#limits.set(subjectOf(request), limit);
    return this.#shown(answer);
  }

  /** What the gateway shows of an app is what it was told. */
  #shown(answer: HttpAnswer): HttpAnswer {
    const json = jsonOf(answer);
    if (answer.status !== 200 || !json) return answer;
    const own = (app: Json): Json => {
      const limit = this.#limits.get(String(app.app_id));
      return limit === undefined ? app : { ...app, rate_limit: limit };
    };
    const apps = Array.isArray(json.apps)
      ? { ...json, apps: json.apps.map((app) => (isObject(app) ? own(app) : app)) }
      : own(json);
    return apps === json ? answer : withJson(answer, apps);
  }

  /** Does it bring a key that was good before? */
  #known(request: HttpRequest): boolean {
    const own = this.#credentials.lent(request, field(request, "X-App-ID") ?? "");
    return (
      own !== null &&
      field(own, "X-API-Key") === field(request, "X-API-Key") &&
      field(own, "X-App-ID") === field(request, "X-App-ID")
    );
  }

  async #counted(
    request: HttpRequest,
    next: (request: HttpRequest) => Promise<HttpAnswer>,
    limit: number,
  ): Promise<HttpAnswer> {
    const { windowMs = 1000, more = 0, free } = this.counting;
    const app_id = field(request, "X-App-ID") ?? "";
    const now = performance.now();
    let window = this.#windows.get(app_id);
    if (!window || now - window.begun >= windowMs) window = { begun: now, used: 0 };
    this.#windows.set(app_id, window);
    window.used += 1;
    const left = Math.max(0, limit - window.used);
    this.place.strike();
    const policy = { "RateLimit-Policy": `"app";q=${limit};w=1`, RateLimit: `"app";r=${left};t=1` };
    const fielded = (answer: HttpAnswer) =>
      Object.entries(policy).reduce((given, [name, value]) => withField(given, name, value), answer);
    if (window.used > limit + more) {
      const id = field(request, "X-Request-ID") ?? "";
      const like = {
        status: 429,
        reason: "",
        body: Buffer.alloc(0),
        fields: [["X-Request-ID", /^[\w.-]{1,128}$/.test(id) ? id : randomUUID()] as const],
      };
      return fielded(refused(like, 429, "rate_limited", "Rate limit exceeded", { retryAfter: "1" }));
    }
    const answer = await next(request);
    if (free?.(answer, request)) window.used -= 1;
    return fielded(answer);
  }
}

function quota(name: string, about: string, counting: Counting): Fault {
  const start = (place: Place): Hooks => {
    const own = new Quota(place, counting);
    return { exchange: (request, next) => own.exchange(request, next) };
  };
  return { name: `quotas/${name}`, about, clause: step6, start };
}

export const quotas: readonly Fault[] = [
  quota("one-more", "a request more than rate_limit is let through", { more: 1 }),
  quota("one-less", "a request less than rate_limit is let through", { more: -1 }),
  quota("long-window", "the window is three seconds long", { windowMs: 3000 }),
  quota("refused-free", "requests that are refused do not count", { free: ({ status }) => status >= 400 }),
  quota("not-found-free", "what is not found does not count", { free: ({ status }) => status === 404 }),
  quota("replays-free", "what is answered again does not count", {
    free: (answer) => field(answer, "Idempotent-Replayed") !== undefined,
  }),
  quota("reads-free", "reading does not count", { free: (_, { method }) => method === "GET" }),
  quota("none", "no quota is kept", { more: 1_000_000 }),
  answers(["quotas/status-403", "a request too many is a 403", step6], (answer) =>
    codeOf(answer) === "rate_limited" ? { ...answer, status: 403 } : undefined,
  ),
  answers(["quotas/code-of-commands", "a request too many has the code of a command too soon", step6], (answer) =>
    codeOf(answer) === "rate_limited"
      ? withJson(answer, { ...jsonOf(answer), code: "command_rate_limited" })
      : undefined,
  ),
  answers(
    ["quotas/failures-unlimited", "an address may fail to authenticate as often as it likes", step5],
    (answer, request) => {
      if (codeOf(answer) !== "rate_limited" || field(answer, "RateLimit") !== undefined) return undefined;
      const [status, code, error] = failureOf(request);
      return refused(answer, status, code, error);
    },
  ),
  {
    name: "quotas/failures-after-key",
    about: "whose key is good is let in although his address has failed too often",
    clause: step5,
    start: (place) => {
      const credentials = new Credentials();
      return {
        exchange: async (request, next) => {
          const answer = await next(request);
          credentials.see(request, answer);
          if (codeOf(answer) !== "rate_limited" || field(answer, "RateLimit") !== undefined || request.passed)
            return answer;
          const own = credentials.lent(request, field(request, "X-App-ID"));
          const key = policyOf(request)?.auth === "admin" ? "X-Admin-API-Key" : "X-API-Key";
          if (!own || field(own, key) !== field(request, key)) return answer;
          place.strike();
          return place.ask(request);
        },
      };
    },
  },
  answers(["quotas/admin-free", "the administration has no policy", step6], (answer, request) =>
    pathOf(request).startsWith("/admin/") && field(answer, "RateLimit-Policy")
      ? withField(withField(answer, "RateLimit-Policy", null), "RateLimit", null)
      : undefined,
  ),
  answers(
    ["quotas/done-when-refused", "what is refused by the quota is done all the same, a second later", step6],
    (answer, request, place) => {
      if (codeOf(answer) !== "rate_limited" || !policyOf(request)?.command || request.passed) return undefined;
      // Nobody waits for it; the app may be gone by then.
      void delay(secondMs).then(async () => {
        const done = await place.ask(anew(request)).catch(() => null);
        if (done?.status === 202) place.strike();
      });
      return undefined;
    },
  ),
];

/** What a stranger is told who is not counted. */
function failureOf(request: HttpRequest): readonly [number, string, string] {
  const admin = field(request, "X-Admin-API-Key");
  if (pathOf(request).startsWith("/admin/"))
    return admin === undefined
      ? [401, "missing_admin_key", "Missing X-Admin-API-Key header"]
      : [401, "invalid_admin_key", "Invalid admin API key"];
  const app_id = field(request, "X-App-ID");
  if (app_id === undefined) return [400, "missing_app_id", "Missing X-App-ID header"];
  if (!/^[\w-]{1,64}$/.test(app_id)) return [400, "invalid_app_id_header", "Invalid X-App-ID format"];
  return field(request, "X-API-Key") === undefined
    ? [401, "missing_api_key", "Missing API key"]
    : [401, "invalid_api_key", "Invalid API key"];
}
