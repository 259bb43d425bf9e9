/** The gateway that is held against itself: a store whose clock can be moved on, and everything it holds counted. */
import { subscribe } from "node:diagnostics_channel";
import { readdirSync, readFileSync } from "node:fs";
import { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { queryObjects, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { readConfig } from "../../src/config";
import { type Gateway, startGateway } from "../../src/main";
import { MemoryStore } from "../../src/store/memory";
import { environment } from "../bench/environment";
import type { Role, Sizes } from "../bench/process";
import { reach } from "./reach";

/** How long what was under way may take: connections are kept for seconds, what SIP remembers for up to 240 T1, two minutes. */
const settleMs = 150_000;
const lookMs = 50;
const connections = "connections made";
/** What calls, requests and deliveries have while they are under way, and a while after; workers that were started stay. */
const passing = ["Timeout", "TCPSocketWrap", connections];
const collections = 3;

export async function growing(): Promise<Role> {
  let ahead = 0;
  const now = () => Math.floor(performance.timeOrigin + performance.now()) + ahead;
  const store = new MemoryStore({ now });
  const resources = counting();
  const gateway = await startGateway(readConfig({ ...environment, ...process.env }), { store });
  // What is compiled with the first requests does not grow with further ones.
  await gateway.warm();
  const { embedded, url, shutdown } = gateway;
  const rest = resources();
  return {
    ready: {
      port: Number(new URL(url).port),
      mediaPid: embedded?.mediaPid ?? null,
      sipPort: embedded?.sipPort ?? null,
    },
    async answer(question) {
      if (question.ask === "settle") return settled(gateway, resources, rest);
      if (question.ask === "measure") return measured(gateway, resources, rest);
      if (question.ask !== "age") throw new Error(`nobody here answers "${question.ask}"`);
      ahead += question.ms;
      await store.sweep();
      return ahead;
    },
    close: shutdown,
  };
}

type Resources = ReadonlyMap<string, number>;

/**
 * What keeps the process awake, by kind, and the connections that it has made from now on. One that is kept for another
 * request keeps nothing awake, so that Node does not name it; but it is there for seconds, with eighteen objects.
 */
function counting(): () => Resources {
  let made = 0;
  subscribe("net.client.socket", (message) => {
    const socket = typeof message === "object" && message !== null && "socket" in message ? message.socket : null;
    if (!(socket instanceof Socket)) throw new Error("told of a connection otherwise than Node documents it");
    made += 1;
    socket.once("close", () => {
      made -= 1;
    });
  });
  return () => {
    const counts = new Map([[connections, made]]);
    for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    return counts;
  };
}

/** @returns what is still open, or waits to be delivered, when the patience is over */
async function settled({ store }: Gateway, resources: () => Resources, rest: Resources): Promise<string[]> {
  const until = performance.now() + settleMs;
  for (;;) {
    const held = resources();
    const more = passing.map((kind) => [kind, (held.get(kind) ?? 0) - (rest.get(kind) ?? 0)] as const);
    const waiting = await store.appsWithEvents();
    const open = [
      ...more.filter(([, count]) => count > 0).map(([kind, count]) => `${kind}: ${count}`),
      ...waiting.map((app) => `events of ${app}`),
    ];
    if (open.length === 0 || performance.now() > until) return open;
    await delay(lookMs);
  }
}

async function measured({ store, embedded }: Gateway, resources: () => Resources, rest: Resources): Promise<Sizes> {
  // Before anything here is made for the count.
  const held = resources();
  const [heap, objects] = await least();
  const stored = reach(store);
  const kinds = [...new Set([...rest.keys(), "Timeout", "TCPSocketWrap", "UDPWrap", "PipeWrap"])].sort();
  const pid = embedded?.mediaPid ?? null;
  return {
    "heap, bytes": heap,
    "objects on the heap": objects,
    "entries in the store": stored.entries,
    "objects in the store": stored.objects,
    ...Object.fromEntries(kinds.map((kind) => [`open: ${kind}`, held.get(kind) ?? 0])),
    "open files": filesOf("self"),
    "media process, resident bytes": residentOf(pid),
    "media process, open files": pid === null ? null : filesOf(String(pid)),
  };
}

/** Bytes in use and objects, once nothing more goes: what waits for a finalizer is freed only after it has run. */
async function least(): Promise<[heap: number, objects: number]> {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect !== "function") throw new Error("no garbage collector to call");
  let [heap, objects] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let i = 0; i < collections; i++) {
    collect();
    heap = Math.min(heap, process.memoryUsage().heapUsed);
    objects = Math.min(objects, queryObjects(Object, { format: "count" }));
    await delay(lookMs);
  }
  return [heap, objects];
}

function filesOf(process_id: string): number | null {
  return process.platform === "linux" ? readdirSync(`/proc/${process_id}/fd`).length : null;
}

function residentOf(pid: number | null): number | null {
  if (pid === null || process.platform !== "linux") return null;
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) * 1024;
}
