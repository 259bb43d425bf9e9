/** What the gateway tells its operators: media nodes, metrics, simulated callers. */
import { setTimeout as delay } from "node:timers/promises";
import { Broken, type Check, Skipped } from "../../check";
import { expectStatus, type KitCall } from "../ground/app";
import { callerId } from "../ground/caller";
import type { JsonObject } from "../ground/client";
import type { World } from "../world";

/** A node's count follows its calls within this time. */
const followMs = 8_000;

async function nodes(world: World): Promise<readonly JsonObject[]> {
  const answer = await world.request({ method: "GET", path: "/admin/nodes", headers: world.admin });
  expectStatus(answer, 200);
  return Array.isArray(answer.body?.nodes) ? answer.body.nodes : [];
}

/** The media node that a call or room is on: the beginning of its id. */
const nodeOf = (source: string): string => source.split("-")[0] ?? "";

/** How many calls or rooms the node of this call has. */
async function count(world: World, call: KitCall, of: "sessions" | "rooms"): Promise<number> {
  const name = nodeOf(call.source);
  const all = await nodes(world);
  const node = all.find((each) => each.node === name);
  if (typeof node?.[of] === "number") return node[of];
  throw new Broken({ expected: `the node ${name}, with ${of}`, got: JSON.stringify(all) });
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + followMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Broken({ expected: what, got: "not so" });
    await delay(150);
  }
}

async function metrics(world: World): Promise<string> {
  const answer = await world.request({ method: "GET", path: "/metrics" });
  expectStatus(answer, 200);
  return answer.bytes.toString("utf8");
}

const name = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const label = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const sample = new RegExp(
  `^(${name})(?:\\{(?:${label}(?:,${label})*,?)?\\})? (?:[-+]?[0-9.]+(?:e[-+]?[0-9]+)?|NaN|[-+]Inf)(?: -?[0-9]+)?$`,
  "i",
);

export const admin: readonly Check<World>[] = [
  {
    id: "admin/nodes",
    title: "The node of a call is listed, connected, and has calls; GET /health lists the same nodes",
    clause: "listNodes, getHealth",
    profile: "full",
    async run(world) {
      const call = await (await world.main()).call();
      const name = nodeOf(call.source);
      const all = await nodes(world);
      const own = all.find(({ node }) => node === name);
      if (own?.connected !== true || !(Number(own.sessions) > 0))
        throw new Broken({ expected: `${name}, connected, with calls`, got: JSON.stringify(all) });
      const health = await world.request({ method: "GET", path: "/health" });
      const shown = JSON.stringify(health.body?.nodes);
      const wanted = JSON.stringify(all.map(({ node, engine, connected }) => ({ node, engine, connected })));
      if (shown !== wanted) throw new Broken({ expected: wanted, got: shown, exchanges: [health.exchange] });
      await call.hangup();
    },
  },
  {
    id: "admin/nodes/counts",
    title: "The calls and rooms of a node are counted up and down",
    clause: "listNodes: sessions, rooms",
    profile: "full",
    alone: true,
    async run(world) {
      const app = await world.main();
      const first = await app.call();
      const sessions = () => count(world, first, "sessions");
      const rooms = () => count(world, first, "rooms");
      // Calls of checks that are over may end by themselves meanwhile: the count may fall, but does not rise.
      const before = await sessions();
      const second = await app.call();
      const during = await sessions();
      if (during > before + 1) throw new Broken({ expected: `at most ${before + 1} calls`, got: String(during) });
      await second.hangup();
      await until(`less than ${during} calls after one of them has ended`, async () => (await sessions()) < during);
      const none = await rooms();
      const room = await app.room(first.source);
      await until(`${none + 1} rooms`, async () => (await rooms()) === none + 1);
      const path = `/api/v1/conferences/${room.source}`;
      expectStatus(await world.request({ method: "DELETE", path, headers: app.headers }), 204);
      await until(`${none} rooms`, async () => (await rooms()) === none);
      await first.hangup();
    },
  },
  {
    id: "admin/metrics/format",
    title: "The metrics are in the text format of Prometheus, each with its type, and none twice",
    clause: "getMetrics",
    profile: "minimal",
    async run(world) {
      const text = await metrics(world);
      if (!text.endsWith("\n")) throw new Broken({ expected: "a line feed at the end", got: "none" });
      const types = new Map<string, string>();
      const seen = new Set<string>();
      for (const line of text.split("\n")) {
        if (line === "" || line.startsWith("# HELP ")) continue;
        const [, typed = "", type = ""] = /^# TYPE (\S+) (counter|gauge|histogram|summary|untyped)$/.exec(line) ?? [];
        if (typed !== "") {
          if (types.has(typed)) throw new Broken({ expected: `one TYPE of ${typed}`, got: "a second one" });
          types.set(typed, type);
          continue;
        }
        const [, metric] = sample.exec(line) ?? [];
        if (metric === undefined) throw new Broken({ expected: "a sample", got: line.slice(0, 200) });
        if (!types.has(metric) && !types.has(metric.replace(/_(bucket|sum|count)$/, "")))
          throw new Broken({ expected: `a TYPE of ${metric}`, got: "none" });
        const series = line.slice(0, line.lastIndexOf(" "));
        if (seen.has(series)) throw new Broken({ expected: `${series} once`, got: "twice" });
        seen.add(series);
      }
      if (![...types.keys()].some((each) => each.startsWith("voicegate_")))
        throw new Broken({ expected: "metrics of voicegate_…", got: [...types.keys()].join(", ").slice(0, 500) });
    },
  },
  {
    id: "admin/metrics/violations",
    title: "The gateway itself has seen nothing that did not keep the contract",
    clause: "getMetrics: voicegate_contract_violations_total",
    profile: "minimal",
    last: true,
    async run(world) {
      const lines = (await metrics(world))
        .split("\n")
        .filter((line) => line.startsWith("voicegate_contract_violations_total"));
      const counted = lines.filter((line) => !/ 0$/.test(line));
      if (counted.length > 0) throw new Broken({ expected: "no violation", got: counted.join("; ") });
    },
  },
  {
    id: "admin/sandbox",
    title: "A simulated caller without a name of his own is anonymous, and follows his script",
    clause: "createSandboxCall",
    profile: "full",
    async run(world) {
      if (world.caller.kind !== "sandbox") throw new Skipped("Calls are not placed by the sandbox here.");
      const app = await world.main();
      const body = { did: app.did, script: [{ do: "wait", ms: 50 }, { do: "hangup" }] };
      const answer = await world.request({ method: "POST", path: "/admin/sandbox/calls", headers: world.admin, body });
      expectStatus(answer, 201);
      const source = String(answer.body?.session_uuid);
      const begun = await app.endpoint.event("call.new", { source });
      if (begun.data.caller_id !== "anonymous")
        throw new Broken({
          expected: "caller_id anonymous",
          got: String(begun.data.caller_id),
          seen: app.endpoint.lines([begun]),
        });
      const { data } = await app.endpoint.event("call.hangup", { source });
      if (data.by !== "caller")
        throw new Broken({ expected: "call.hangup by caller", got: String(data.by), seen: app.endpoint.lines() });
    },
  },
  {
    id: "admin/sandbox/own-name",
    title: "A simulated caller has the caller_id that was asked for",
    clause: "createSandboxCall: caller_id",
    profile: "full",
    async run(world) {
      if (world.caller.kind !== "sandbox") throw new Skipped("Calls are not placed by the sandbox here.");
      const app = await world.main();
      for (const caller_id of [callerId(), "a", `+49_.-#${"x".repeat(57)}`]) {
        const body = { did: app.did, caller_id, script: [{ do: "hangup" }] };
        const answer = await world.request({
          method: "POST",
          path: "/admin/sandbox/calls",
          headers: world.admin,
          body,
        });
        expectStatus(answer, 201);
        const { data } = await app.endpoint.event("call.new", { source: String(answer.body?.session_uuid) });
        if (data.caller_id !== caller_id)
          throw new Broken({ expected: caller_id, got: String(data.caller_id), seen: app.endpoint.lines() });
      }
    },
  },
];
