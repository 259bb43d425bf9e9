/**
 * Does a receiver that accepts everything and never answers keep the events of other apps waiting? The same load of one
 * app, with and without another app whose every attempt hangs until it is given up, in pairs one after the other.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Moment } from "./clock";
import { Gateway } from "./gateway";
import { Program } from "./process";
import { median, ms, quantile, type Section, whole } from "./report";
import { type UnderStore, withEach } from "./stores";

const pairs = 10;
/** Before the first that counts: until everything is compiled. */
const warmUp = 1;
/** Of the app whose receiver is sound. */
const calls = 32;
const perSecond = 300;
/** Longer than an attempt may last, so that the end of those that hang is part of it. */
const seconds = 6;
/** Attempts of one app at a time. */
const concurrency = 64;
/** Of the app whose receiver is a tarpit: ten times and more what is attempted at a time. */
const stuckCalls = 100;
const stuckKeys = 10;
/** What the verdict allows: the larger of the two. */
const allowedShare = 0.1;
const allowedMs = 2;

/** Takes requests, and answers none of them. */
class Tarpit {
  readonly #held = new Set<IncomingMessage>();
  #look: (() => void) | null = null;
  readonly #server = createServer((request) => {
    this.#held.add(request);
    request.once("close", () => this.#held.delete(request));
    this.#look?.();
  });

  async listen(): Promise<number> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resolves once it holds so many. */
  async holds(count: number): Promise<void> {
    while (this.#held.size < count) await new Promise<void>((resolve) => (this.#look = resolve));
  }

  letGo(): void {
    this.#server.closeAllConnections();
  }

  async close(): Promise<void> {
    this.#server.close();
    this.letGo();
    await once(this.#server, "close");
  }
}

interface Took {
  readonly p50: number;
  readonly p99: number;
}

/** What one store is measured with. */
interface Stage {
  readonly gateway: Gateway;
  readonly endpoint: Program;
  readonly tarpit: Tarpit;
  readonly tarpitPort: number;
}

/** Milliseconds from the key to the end of its webhook. */
function taken(pressed: readonly Moment[], arrived: readonly Moment[]): Took {
  const name = ({ session_uuid, sequence }: Moment) => `${session_uuid}.${sequence}`;
  const at = new Map(arrived.map((moment) => [name(moment), moment.at]));
  const all = pressed.map((moment) => ((at.get(name(moment)) ?? Number.NaN) - moment.at) / 1000);
  if (all.some(Number.isNaN)) throw new Error("an event did not arrive");
  all.sort((a, b) => a - b);
  return { p50: quantile(all, 0.5), p99: quantile(all, 0.99) };
}

async function load({ gateway, endpoint }: Stage): Promise<Took> {
  const pressed = await gateway.program.ask({ ask: "pace", did: "1", calls, per_second: perSecond, seconds });
  return taken(pressed, await endpoint.ask({ ask: "moments", events: pressed.length }));
}

/** @param n another app each time, so that nothing is known yet of its receiver */
async function stuck(stage: Stage, n: number): Promise<Took> {
  const { gateway, tarpit, tarpitPort } = stage;
  const app_id = `tarpit-${n}`;
  const did = `9${n}`;
  await gateway.putApp(app_id, { webhook_url: `http://127.0.0.1:${tarpitPort}/${n}`, dids: [did] });
  await gateway.program.ask({ ask: "press", did, calls: stuckCalls, keys: stuckKeys });
  await gateway.program.ask({ ask: "committed", did });
  await tarpit.holds(concurrency);
  const took = await load(stage);
  // What waits is given up, and what hangs ends: the next run finds nothing of it.
  await gateway.putApp(app_id, { webhook_url: "", dids: [] });
  tarpit.letGo();
  return took;
}

async function measured(store: UnderStore, progress: (line: string) => void) {
  const endpoint = await Program.start("clocked");
  const tarpit = new Tarpit();
  const tarpitPort = await tarpit.listen();
  const gateway = await Gateway.start("events", { MAX_SESSIONS: "10000", ...store.env() });
  await gateway.putApp("sound", { webhook_url: `http://127.0.0.1:${endpoint.ready.port}/`, dids: ["1"] });
  const stage = { gateway, endpoint, tarpit, tarpitPort };
  await gateway.program.ask({ ask: "press", did: "1", calls, keys: 0 });
  await endpoint.ask({ ask: "moments", events: calls });
  const without: Took[] = [];
  const withIt: Took[] = [];
  for (let pair = -warmUp; pair < pairs; pair++) {
    // Now the one first, now the other.
    const first = pair % 2 === 0 ? await load(stage) : null;
    const held = await stuck(stage, pair + warmUp);
    const free = first ?? (await load(stage));
    progress(`tarpit, ${store.name}: pair ${Math.max(0, pair + 1)} of ${pairs}`);
    if (pair < 0) continue;
    without.push(free);
    withIt.push(held);
  }
  await gateway.stop();
  await endpoint.stop();
  await tarpit.close();
  const p99 = median(without.map((took) => took.p99));
  const moved = median(withIt.map((took, pair) => took.p99 - (without[pair]?.p99 ?? Number.NaN)));
  const allowed = Math.max(allowedShare * p99, allowedMs);
  return {
    name: store.name,
    p50_ms: median(without.map((took) => took.p50)),
    p50_tarpit_ms: median(withIt.map((took) => took.p50)),
    p99_ms: p99,
    p99_tarpit_ms: median(withIt.map((took) => took.p99)),
    moved_ms: moved,
    allowed_ms: allowed,
    holds: moved < allowed,
  };
}

export async function benchTarpit(progress: (line: string) => void): Promise<Section> {
  const all = await withEach((store) => measured(store, progress));
  const events = stuckCalls * (stuckKeys + 1);
  return {
    title: `Tarpit: ${perSecond} events a second of ${calls} calls, beside an app whose receiver never answers; ${pairs} pairs`,
    columns: ["", "p50 ms", "with tarpit", "p99 ms", "with tarpit", "p99 moved by", "allowed", ""],
    rows: all.map(({ name, p50_ms, p50_tarpit_ms, p99_ms, p99_tarpit_ms, moved_ms, allowed_ms, holds }) => [
      name,
      ms(p50_ms),
      ms(p50_tarpit_ms),
      ms(p99_ms),
      ms(p99_tarpit_ms),
      ms(moved_ms),
      ms(allowed_ms),
      holds ? "holds" : "DOES NOT HOLD",
    ]),
    notes: [
      "From the moment at which a key is due to the moment at which its webhook is at the receiver, in another process: the",
      `commit is part of it. The tarpit holds ${whole(concurrency)} requests open, ${whole(events)} events wait or hang, and ${seconds} s see the end`,
      "of all that hang. Medians of the runs; of the p99 it is the median of the differences, pair by pair.",
    ],
    figures: Object.fromEntries(all.map(({ name, ...figures }) => [name, figures])),
  };
}
