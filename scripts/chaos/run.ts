/** Gateways, Redis, a receiver and calls, and what happens to them; in the end, whether anything was lost. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { RedisServer } from "../../test/redis/server";
import { type Answered, apiKey, ask } from "./asking";
import { call, type Scene } from "./calls";
import { Disk } from "./disk";
import { type Disturbance, Disturbances } from "./disturbances";
import { Fleet } from "./fleet";
import { Kills } from "./kills";
import { Ledger } from "./ledger";
import { leftovers } from "./leftovers";
import { Losses } from "./losses";
import { Naps } from "./naps";
import { Pulse } from "./pulse";
import { Receiver } from "./receiver";
import { Seed } from "./seed";
import { openStore } from "./store";
import { type Outcome, outcomeOf } from "./verdict";

export interface ChaosOptions {
  readonly seed: number;
  readonly gateways: number;
  /** At least so many of each; sessions are calls of which anything was told, events are counted when they come first. */
  readonly kills: number;
  /** Gateways put to sleep for a while. */
  readonly naps: number;
  readonly sessions: number;
  readonly events: number;
  /** Calls at a time. */
  readonly atOnce: number;
  /** What happens to Redis, and how often. */
  readonly redis: readonly Disturbance[];
  readonly disturbances: number;
  readonly appendfsync: "always" | "everysec";
  /** Where the gateways' logs go, and stay; null: they are gone when all went well. */
  readonly logs: string | null;
  readonly progress: (line: string) => void;
}

/** For the processes of the gateways: what an operator gives a minute or two. */
const nodeLostSeconds = 3;
/** By how much later than that the last call of a lost gateway may be over. */
const graceMs = 10_000;
const apps = ["chaos-a", "chaos-b", "chaos-c"];
/** Until what is left when all calls are over has gone: leases of deliveries, retries, sweeps. */
const patienceMs = 90_000;
const lookMs = 250;
const stallMs = 60_000;
const reportMs = 5000;
const restartEveryEvents = 1500;
/** Of faults one is enough: nobody needs thousands. */
const faultsAtMost = 100;

export async function chaos(options: ChaosOptions): Promise<Outcome> {
  const folder = options.logs ?? (await mkdtemp(path.join(tmpdir(), "voicegate-chaos-")));
  await mkdir(folder, { recursive: true });
  // Of a file that is written anew, nobody could tell what was safe before.
  const lines = ["auto-aof-rewrite-percentage 0"];
  const redis = await RedisServer.start({ appendfsync: options.appendfsync, lines });
  const disk = options.appendfsync === "always" ? null : await Disk.of(redis);
  const pulse = new Pulse(redis);
  const ledger = new Ledger();
  const seed = new Seed(options.seed);
  const receiver = new Receiver(ledger, seed);
  let fleet: Fleet | null = null;
  try {
    await receiver.listen();
    fleet = await Fleet.start({
      ...{ ledger, folder, nodeLostSeconds },
      gateways: options.gateways,
      redis: redis.port,
      disturbed: options.disturbances > 0,
    });
    const outcome = await new Run(options, { redis, disk, pulse, ledger, seed, receiver, fleet }).run();
    if (outcome.faults.length === 0 && options.logs === null) await rm(folder, { recursive: true });
    else options.progress(`the logs of the gateways are in ${folder}`);
    return outcome;
  } finally {
    await fleet?.close();
    await receiver.close();
    await pulse.stop();
    await disk?.close();
    await redis.stop();
  }
}

interface Parts {
  readonly redis: RedisServer;
  readonly disk: Disk | null;
  readonly pulse: Pulse;
  readonly ledger: Ledger;
  readonly seed: Seed;
  readonly receiver: Receiver;
  readonly fleet: Fleet;
}

class Run {
  readonly #options: ChaosOptions;
  readonly #parts: Parts;
  readonly #kills: Kills;
  readonly #naps: Naps;
  readonly #losses: Losses;
  readonly #disturbances: Disturbances;
  readonly #scene: Scene;
  readonly #begun = performance.now();
  /** All that was to happen has happened. */
  #happened = false;
  /** There were as many calls and events as there ought to be. */
  #reached = false;
  #ordinal = 0;

  constructor(options: ChaosOptions, parts: Parts) {
    const { ledger, seed, receiver, fleet, redis, disk, pulse } = parts;
    this.#options = options;
    this.#parts = parts;
    this.#scene = { fleet, ledger, seed, apps, statuses: new Map() };
    this.#disturbances = new Disturbances({
      ...{ seed, fleet, ledger, redis, disk },
      kinds: options.redis,
      count: options.disturbances,
      everyEvents: options.events / Math.max(1, options.disturbances),
      done: (kind, ms) => options.progress(`Redis: ${kind}, ${Math.round(ms)} ms`),
    });
    this.#losses = new Losses({
      ...{ fleet, ledger },
      boundMs: nodeLostSeconds * 1000 + graceMs,
      awaySince: (at) => pulse.absences.since(at) + fleet.absences.since(at),
    });
    this.#kills = new Kills({
      ...{ seed, fleet, ledger, receiver },
      count: options.kills,
      everyEvents: options.events / Math.max(1, options.kills),
      killed: ({ instance }) => this.#losses.expect(instance),
    });
    this.#naps = new Naps({
      ...{ seed, fleet, ledger },
      count: options.naps,
      everyEvents: options.events / Math.max(1, options.naps),
      lostMs: nodeLostSeconds * 1000,
    });
  }

  async run(): Promise<Outcome> {
    const { progress, atOnce } = this.#options;
    const { ledger, fleet, receiver } = this.#parts;
    await this.#putApps();
    const telling = setInterval(() => progress(this.#state()), reportMs);
    try {
      const callers = Array.from({ length: atOnce }, () => this.#calls());
      const restarts = this.#restarts();
      await Promise.all([this.#kills.run(), this.#naps.run(), this.#disturbances.run(), this.#enough(), this.#watch()]);
      this.#happened = true;
      await Promise.all(callers);
      await restarts;
      receiver.mend();
      progress(`${this.#state()}; the last calls are over`);
      await this.#losses.settled();
      await this.#quiet();
    } finally {
      clearInterval(telling);
    }
    ledger.judge();
    const givenUp = this.#losses.judge();
    await fleet.close();
    return outcomeOf(this.#options, {
      ledger,
      kills: this.#kills.done,
      naps: this.#naps.done,
      losses: this.#losses,
      givenUp,
      answers: receiver.answers,
      statuses: this.#scene.statuses,
      disturbances: this.#disturbances.counts,
      fleet,
      pulse: this.#parts.pulse,
      forgotten: this.#parts.disk?.forgotten ?? 0,
      begun: this.#begun,
    });
  }

  async #putApps(): Promise<void> {
    const { receiver } = this.#parts;
    for (const [i, app] of apps.entries()) {
      const settings = { api_key: apiKey, webhook_url: `http://127.0.0.1:${receiver.port}/`, dids: [`${i}*`] };
      await this.#administer(`/admin/apps/${app}`, settings);
      // That of a new app is shown only once, and the answer may have been lost.
      const { webhook_secret } = await this.#administer(`/admin/apps/${app}/webhook-secret`);
      receiver.secrets.set(app, String(webhook_secret));
    }
  }

  /** Again until it is answered with success. */
  async #administer(route: string, body?: object): Promise<Answered["body"]> {
    const { fleet } = this.#parts;
    const until = performance.now() + patienceMs;
    for (;;) {
      const answered = await ask(await fleet.anyone(), "admin", "app", "POST", route, body);
      if (answered?.status === 200) return answered.body;
      if (performance.now() > until) throw new Error(`${route}: ${JSON.stringify(answered)}`);
      await delay(lookMs);
    }
  }

  /** One call after the other. */
  async #calls(): Promise<void> {
    const { ledger } = this.#parts;
    while (!this.#happened) {
      try {
        await call(this.#scene, ++this.#ordinal);
      } catch (error) {
        ledger.fault("gateway", error instanceof Error ? error.message : String(error));
      }
    }
  }

  async #enough(): Promise<void> {
    const { ledger } = this.#parts;
    const { sessions, events } = this.#options;
    await ledger.reaches(events);
    while (ledger.count("call") < sessions && !ledger.givenUp) await delay(lookMs);
    this.#reached = true;
  }

  /** Gives up when nothing comes any more, or nothing of it is right. */
  async #watch(): Promise<void> {
    const { ledger, disk } = this.#parts;
    let seen = { events: -1, at: 0 };
    for (; !this.#reached && !ledger.givenUp; await delay(lookMs)) {
      const now = performance.now();
      if (ledger.events !== seen.events) seen = { events: ledger.events, at: now };
      const stalled = now - seen.at > stallMs;
      if (stalled) ledger.fault("gateway", `nothing has come for ${stallMs / 1000} s`);
      if (stalled || (disk === null && ledger.faults.length > faultsAtMost)) ledger.giveUp();
    }
  }

  async #restarts(): Promise<void> {
    const { ledger, seed, receiver } = this.#parts;
    for (let i = 1; !this.#happened; i++) {
      const events = ledger.events + Math.round(restartEveryEvents * (0.2 + 1.6 * seed.share("restart", i)));
      while (ledger.events < events && !this.#happened) await delay(lookMs);
      await receiver.restart(i);
    }
  }

  /** Until nothing is open, waits or is left; what is left when the patience is over is a fault. */
  async #quiet(): Promise<void> {
    const { ledger, fleet, redis, disk } = this.#parts;
    const store = openStore(redis.url);
    const until = performance.now() + patienceMs;
    try {
      for (;;) {
        const left = [
          // Of what was forgotten nobody will ever tell the end.
          ...(disk ? [] : ledger.open().map(({ id }) => `${id} is not over`)),
          ...(await leftovers({ fleet, apps, store })),
        ];
        if (left.length === 0) return;
        if (performance.now() > until) {
          for (const each of left) ledger.fault("left", each);
          return;
        }
        await delay(lookMs);
      }
    } finally {
      await store.close();
    }
  }

  #state(): string {
    const { ledger, fleet } = this.#parts;
    const seconds = ((performance.now() - this.#begun) / 1000).toFixed(0);
    const { length } = this.#kills.done;
    return (
      `${seconds} s: ${length} kills, ${ledger.count("call")} sessions, ${ledger.events} events, ` +
      `${fleet.serving.length} gateways, ${ledger.open().length} open, ${ledger.faults.length} faults`
    );
  }
}
