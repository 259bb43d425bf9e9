/** The conformance kit passes against the real gateway: on both stores, at both kinds of media servers. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { kit, type Said } from "../../../scripts/faults/facing";
import { AsteriskServer, freePort } from "../../asterisk/server";
import { adminKey, TestGateway } from "../../gateway";
import { RedisServer } from "../../redis/server";

/** What may be skipped, and why. */
const explained: readonly RegExp[] = [
  /^errors\/outside\//,
  /media server has no dialplan/,
  /one media server/,
  /ALLOW_(?:HTTP|LOCALHOST)_WEBHOOKS is on/,
  /^errors\/\w+\/(?:recording_not_available|embedded_engine_off): The gateway/,
  /first try was decided before the second one/,
  /^(?:pages|numbers|admin)\/.*: .*\b[Ss]andbox\b/,
  /thousand rooms are no small load/,
  /this caller has no ears/i,
  /The gateway has no embedded engine/,
];

const signal = new AbortController();
const closing: (() => Promise<void>)[] = [];
afterAll(async () => {
  signal.abort();
  for (let close = closing.pop(); close; close = closing.pop()) await close();
});

/** A gateway as a partner has it, and a run of the kit against it: most of it is waiting, so that all go side by side. */
async function run(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Said> {
  const PORT = String(await freePort("tcp"));
  const own = `http://127.0.0.1:${PORT}`;
  const urls = { PORT, RECORDING_BASE_URL: own, MEDIA_BASE_URL: own, AUTH_FAILURES_PER_SECOND: "40" };
  const gateway = await TestGateway.start({ recordings: true, app: null, env: { ...urls, ...env } });
  closing.push(() => gateway.close());
  const sip = gateway.gateway.embedded?.sipPort;
  const caller = args.length > 0 ? args : ["--caller", `sip:127.0.0.1:${sip}`];
  const failures = ["--auth-failures-per-second", "40"];
  return kit(["gateway", "--url", gateway.url, "--admin-key", adminKey, ...failures, ...caller], false, signal.signal);
}

const runs = {
  memory: (): Promise<Said> => run({}, "--caller", "sandbox"),
  redis: async (): Promise<Said> => {
    const redis = await RedisServer.start();
    closing.push(() => redis.stop());
    return run({ REDIS_URL: redis.url, SECRETS_KEY: Buffer.alloc(32, 7).toString("base64") });
  },
  asterisk: async (): Promise<Said> => {
    const server = await AsteriskServer.start();
    closing.push(() => server.stop());
    const env = {
      ASTERISK_NODES: `ast=${server.url}|${server.user}|${server.password}`,
      EMBEDDED_ENGINE: "false",
      MEDIA_BASE_URL: "",
    };
    return run(env, "--caller", `sip:127.0.0.1:${server.sipPort}`);
  },
};
const results = new Map<string, Promise<Said>>();
beforeAll(() => {
  for (const [name, start] of Object.entries(runs)) {
    const result = start();
    // Whoever awaits it gets it.
    result.catch(() => undefined);
    results.set(name, result);
  }
});

test.each([
  ["memory", "on the memory store, with simulated callers"],
  ["redis", "on Redis, with a phone at the embedded engine"],
  ["asterisk", "at a real Asterisk, with a phone there"],
])(
  "%s: %s",
  async (name) => {
    const said = await results.get(name);
    expect(said?.broken).toBe("");
    expect(said?.reasons).toEqual([]);
    expect(said?.skipped.filter((reason) => !explained.some((each) => each.test(reason)))).toEqual([]);
    expect(said?.passed).toBeGreaterThan(500);
  },
  280_000,
);
