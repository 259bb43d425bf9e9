/** Which requests belong to an operation, and what the others are answered. */
import { errors, operations } from "../../../../generated/operations";
import { Broken, type Check } from "../../check";
import { expectStatus } from "../ground/app";
import type { Answer, RequestHeaders } from "../ground/client";
import { operationOf } from "../ground/declared";
import { together } from "../ground/wire";
import { expectFailure } from "../requests/failure";
import { exampleRequest, nobody, policyOf, type RoutedId, routed } from "../requests/requests";
import { headersOf, originOf } from "../requests/states";
import type { World } from "../world";
import { served } from "./routes_served";
import { requestIds } from "./routes_traced";

const clause = "order of checks: steps 3 and 4";
const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] as const;

/** Declared methods by path. */
const declared = new Map<string, Set<string>>();
for (const { method, path } of Object.values(operations)) {
  const known = declared.get(path) ?? new Set<string>();
  for (const each of method === "GET" ? ["GET", "HEAD"] : [method]) known.add(each);
  declared.set(path, known);
}

/** A path of this template that is about nobody. */
const targetOf = (template: string): string =>
  template.replaceAll(
    /\{(\w+)\}/g,
    (_, name: string) => Object.entries(nobody).find(([each]) => each === name)?.[1] ?? "x",
  );

const slugOf = (text: string) => text.replaceAll(/[^A-Za-z0-9]+/g, "-").replaceAll(/^-|-$/g, "");

/** Each method that a path does not have is refused, and those that it has are named. */
function refusedMethods(path: string, has: ReadonlySet<string>): Check<World> {
  return {
    id: `routes/methods/${slugOf(path)}`,
    title: `${path} has ${[...has].join(", ")} and no other method`,
    clause,
    profile: path === "/live" || path.endsWith("/answer") ? "minimal" : "full",
    async run(world) {
      for (const method of methods) {
        if (has.has(method)) continue;
        const answer = await world.request({ method, path: targetOf(path) });
        if (method === "HEAD") expectStatus(answer, 405);
        else expectFailure(answer, "method_not_allowed", `${method} ${path}`);
        const allow = String(answer.headers.allow).split(/, */).sort().join(", ");
        const wanted = [...has].sort().join(", ");
        if (allow !== wanted)
          throw new Broken({ expected: `Allow: ${wanted}`, got: allow, exchanges: [answer.exchange] });
      }
    },
  };
}

/** Paths that look like those of the document. */
const strange: readonly (readonly [method: string, target: string])[] = [
  ["GET", "/"],
  ["GET", "/nowhere"],
  ["POST", "/nowhere"],
  ["DELETE", "/nowhere"],
  ["GET", "/LIVE"],
  ["GET", "/live/"],
  ["GET", "//live"],
  ["GET", "/live//"],
  ["GET", "/live%2F"],
  ["GET", "/./live"],
  ["GET", "/x/../live"],
  ["GET", "/live.json"],
  ["GET", "/live;a=b"],
  ["GET", "/api"],
  ["GET", "/api/v1"],
  ["GET", "/api/v1/"],
  ["GET", "/api/v2/sessions"],
  ["GET", "/api/v1//sessions"],
  ["GET", "/API/v1/sessions"],
  ["GET", "/api/v1%2Fsessions"],
  ["GET", "/admin"],
  ["GET", "/openapi.yaml"],
  ["POST", `/api/v1/sessions/${nobody.uuid}/commands`],
  ["POST", `/api/v1/sessions/${nobody.uuid}/commands/`],
  ["POST", `/api/v1/sessions/${nobody.uuid}/Commands/answer`],
  ["POST", "/api/v1/sessions//commands/answer"],
];

const unknown = strange.map<Check<World>>(([method, target], n) => ({
  id: `routes/unknown/${n + 1}-${slugOf(target) || "root"}`,
  title: `${method} ${target} is not found`,
  clause,
  profile: target === "/nowhere" ? "minimal" : "full",
  async run(world) {
    const app = await world.main();
    // Who has credentials is told the same.
    for (const headers of [{}, headersOf(app)]) {
      // As it stands: a client would make another path of dots.
      const [answer] = await together(world.url, [{ method, path: target, headers, body: null }]);
      if (answer) expectFailure(answer, "not_found", `${method} ${target}`);
    }
  },
}));

/** Another spelling of a path is another path, or an unknown command. */
function spelling(id: RoutedId): Check<World> {
  const { method, path } = policyOf(id);
  return {
    id: `routes/spelling/${id}`,
    title: `${id}: a slash at its end and letters of another size make another route`,
    clause,
    profile: "full",
    async run(world) {
      const origin = originOf(world, await world.main());
      const target = targetOf(path);
      for (const other of [`${target}/`, target.replace(/^\/(\w)/, (first) => first.toUpperCase())]) {
        const { headers } = exampleRequest(id, origin);
        const answer = await world.request({ method, path: other, headers });
        const code = operationOf(method, other) === "commands.unknown" ? "invalid_command" : "not_found";
        expectFailure(answer, code, `${method} ${other}`);
      }
    },
  };
}

const commands = ["dance", "Answer", "a/b/c", "playback", "playback/", "playback/start/now", "answer%20"];

const unknownCommands: Check<World> = {
  id: "routes/unknown-commands",
  title: "An unknown command of whatever depth is refused as one, once it is known who asks",
  clause: "order of checks: step 3",
  profile: "minimal",
  async run(world) {
    const headers = headersOf(await world.main());
    const invalid = async (path: string, body: string | null) => {
      const answer = await world.request({ method: "POST", path, headers, body });
      expectFailure(answer, "invalid_command", `POST ${path}`);
    };
    for (const command of commands) await invalid(`/api/v1/sessions/${nobody.uuid}/commands/${command}`, null);
    await invalid("/api/v1/sessions/x/commands/dance", "no JSON at all");
    const path = `/api/v1/sessions/${nobody.uuid}/commands/dance/on`;
    expectFailure(await world.request({ method: "POST", path }), "missing_app_id", "without credentials");
    const got = await world.request({ method: "GET", path, headers });
    expectFailure(got, "method_not_allowed", `GET ${path}`);
    if (got.headers.allow !== "POST")
      throw new Broken({ expected: "Allow: POST", got: String(got.headers.allow), exchanges: [got.exchange] });
  },
};

/** They differ from one answer to the next. */
const passing = new Set(["date", "x-request-id", "ratelimit", "connection", "keep-alive", "transfer-encoding"]);

function lasting({ headers }: Answer): string {
  const kept = Object.entries(headers).filter(([name]) => !passing.has(name));
  return JSON.stringify(kept.sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** How long answers are that tell of what goes on in a gateway. */
const moving: readonly RoutedId[] = ["getMetrics", "getHealth", "listNodes", "listApps", "listSessions", "listRooms"];

function head(id: RoutedId): Check<World> {
  return {
    id: `routes/head/${id}`,
    title: `${id}: HEAD is answered as GET, without a body`,
    clause: "every response: HEAD",
    profile: "full",
    async run(world) {
      const request = exampleRequest(id, originOf(world, await world.main()));
      const bare = await world.request({ ...request, method: "HEAD" });
      if (policyOf(id).media === "text/event-stream") return expectStatus(bare, 200);
      const whole = await world.request(request);
      expectStatus(bare, whole.status);
      const shorn = (answer: Answer) => {
        const text = lasting(answer);
        return moving.includes(id) ? text.replace(/\["content-length","\d+"\],?/, "") : text;
      };
      if (shorn(bare) === shorn(whole)) return;
      const exchanges = [whole.exchange, bare.exchange];
      throw new Broken({ expected: `the headers of GET: ${shorn(whole)}`, got: shorn(bare), exchanges });
    },
  };
}

const wrong: RequestHeaders = { "X-App-ID": "a b", "X-API-Key": "wrong", "X-Admin-API-Key": "wrong" };

/** Whoever asks, and whatever he says of himself. */
const open: Check<World> = {
  id: "routes/public",
  title: "What is for everybody asks for no key, and looks at none",
  clause: "openapi: security",
  profile: "full",
  async run(world) {
    const refused = [errors.missing_app_id, errors.missing_api_key, errors.invalid_api_key].map(
      ({ message }) => message,
    );
    for (const id of routed) {
      if (policyOf(id).auth !== "none") continue;
      const request = exampleRequest(id, originOf(world, await world.main()));
      for (const headers of [{}, wrong]) {
        const answer = await world.request({ ...request, headers });
        const said = String(answer.body?.error);
        if (answer.status === 401 || refused.some((message) => message === said))
          throw new Broken({
            expected: `${id} for everybody`,
            got: `${answer.status} ${said}`,
            exchanges: [answer.exchange],
          });
      }
    }
  },
};

const encoded: Check<World> = {
  id: "routes/encoded",
  title: "A letter of a path may be percent-encoded",
  clause,
  profile: "full",
  async run(world) {
    for (const path of ["/%6Cive", "/l%69ve", "/%6cive?x=%20", "/live?", "/live?live=/nowhere"]) {
      const [answer] = await together(world.url, [{ method: "GET", path, headers: {}, body: null }]);
      if (answer?.status !== 200)
        throw new Broken({
          expected: `200 for ${path}`,
          got: String(answer?.status),
          exchanges: answer ? [answer.exchange] : [],
        });
    }
  },
};

/** Which pages an operator allows is not known; this one he has never heard of. */
const strangers: Check<World> = {
  id: "routes/cors",
  title: "No page that nobody has allowed is told that it may ask",
  clause: "every response: CORS is off unless CORS_ORIGINS is set",
  profile: "full",
  async run(world) {
    const page = { Origin: `https://kit-${world.run}.invalid` };
    const app = headersOf(await world.main());
    const asks = { ...page, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-api-key" };
    const path = "/api/v1/sessions";
    expectStatus(await world.request({ method: "GET", path: "/live", headers: page }), 200);
    expectStatus(await world.request({ method: "GET", path, headers: { ...app, ...page } }), 200);
    const answer = await world.request({ method: "OPTIONS", path, headers: asks });
    expectFailure(answer, "method_not_allowed", `OPTIONS ${path} of a page`);
  },
};

export function routes(): Check<World>[] {
  return [
    ...unknown,
    ...routed.map(spelling),
    unknownCommands,
    ...[...declared].map(([path, has]) => refusedMethods(path, has)),
    ...routed.filter((id) => policyOf(id).method === "GET").map(head),
    open,
    strangers,
    encoded,
    ...requestIds,
    ...served,
  ];
}
