/** The gateways: so many places, in each of which one after the other lives. */
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Absences } from "./absences";
import { adminKey } from "./asking";
import { Instance } from "./instance";
import type { Ledger } from "./ledger";
import { runs } from "./processes";
import { Wire } from "./wire";

export interface FleetOptions {
  readonly gateways: number;
  /** The port of Redis. */
  readonly redis: number;
  readonly ledger: Ledger;
  /** Where their logs go. */
  readonly folder: string;
  readonly nodeLostSeconds: number;
  /** Redis is not always there. */
  readonly disturbed: boolean;
}

export const secretsKey = "chaos-secrets-key-0123456789abcdef";
const leaseSeconds = 1;
const lookMs = 20;
/** How long a process may take to be ready, or to end. */
const patienceMs = 30_000;

export class Fleet {
  readonly wires: readonly Wire[];
  /** While nobody takes requests. */
  readonly absences = new Absences();
  /** All there ever were. */
  readonly instances: Instance[] = [];
  readonly #options: FleetOptions;
  readonly #places: (Instance | null)[];
  #closing: Promise<void> | null = null;
  readonly #watch = setInterval(() => {
    if (this.serving.length === 0) this.absences.begin();
    else this.absences.end();
  }, lookMs);

  private constructor(options: FleetOptions, wires: readonly Wire[]) {
    this.#options = options;
    this.wires = wires;
    this.#places = wires.map(() => null);
  }

  /** Resolves when all of them are ready. */
  static async start(options: FleetOptions): Promise<Fleet> {
    const scripts = new Map<string, string>();
    const places = Array.from({ length: options.gateways });
    const fleet = new Fleet(options, await Promise.all(places.map(() => Wire.open(options.redis, scripts))));
    await Promise.all(places.map((_, slot) => fleet.revive(slot)));
    return fleet;
  }

  /** Those that take requests, in the order of their places. */
  get serving(): Instance[] {
    return this.#places.filter((instance) => instance !== null).filter(({ serving }) => serving);
  }

  wireOf({ slot }: Instance): Wire {
    const wire = this.wires[slot];
    if (!wire) throw new RangeError(`no such place: ${slot}`);
    return wire;
  }

  /** One more life in this place, whose last one is over. */
  begin(slot: number): Instance {
    const life = this.instances.filter((instance) => instance.slot === slot).length + 1;
    const { folder, ledger } = this.#options;
    const log = path.join(folder, `gateway-${slot}-${life}.log`);
    const instance = new Instance({ slot, life, env: this.#environment(slot), log });
    this.instances.push(instance);
    this.#places[slot] = instance;
    void instance.exit.then(({ code, signal }) => {
      this.#places[slot] = null;
      // Without a Redis it does not begin, and says so: whoever has started it does so again.
      const excused = this.#options.disturbed && instance.node === null && code === 1;
      if (instance.killed === null && !this.#closing && !excused)
        ledger.fault("gateway", `${instance.name} ended by itself (${signal ?? code}): ${log}`);
    });
    return instance;
  }

  /** Begins lives in this place until one is ready. */
  async revive(slot: number): Promise<void> {
    const until = performance.now() + patienceMs;
    for (;;) {
      try {
        await this.begin(slot).ready;
        return;
      } catch (error) {
        if (performance.now() > until) throw error;
        await delay(lookMs);
      }
    }
  }

  /** The first that takes requests, now or later. */
  async anyone(): Promise<Instance> {
    const [first] = await this.several(1);
    if (!first) throw new Error("no gateway is ready");
    return first;
  }

  /** Resolves once at least so many take requests. */
  async several(count: number): Promise<Instance[]> {
    const until = performance.now() + patienceMs;
    for (;;) {
      const { serving } = this;
      if (serving.length >= count) return serving;
      if (performance.now() > until) throw new Error(`only ${serving.length} gateways are ready`);
      await delay(lookMs);
    }
  }

  /** Ends all of them in order, and looks whether anything is left of those that ever lived. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { ledger } = this.#options;
    clearInterval(this.#watch);
    const ended = this.#places
      .filter((instance) => instance !== null)
      .map(async (instance) => {
        const { code, signal } = await instance.terminate();
        if (code !== 0) ledger.fault("gateway", `${instance.name} ended with ${signal ?? code} when it was asked to`);
      });
    await Promise.all(ended);
    for (const wire of this.wires) await wire.close();
    const left = await this.#left();
    if (left.length > 0) ledger.fault("left", `processes: ${left.join(", ")}`);
    for (const { broken, name } of this.instances)
      for (const line of broken) ledger.fault("gateway", `${name}: ${line}`);
  }

  /** What a process has started ends by itself, a moment after it. */
  async #left(): Promise<readonly number[]> {
    const all = this.instances.flatMap(({ children }) => children);
    const until = performance.now() + patienceMs;
    for (;;) {
      const left = all.filter(runs).map(({ pid }) => pid);
      if (left.length === 0 || performance.now() > until) return left;
      await delay(lookMs);
    }
  }

  #environment(slot: number): Record<string, string> {
    const { nodeLostSeconds, redis } = this.#options;
    return {
      HOST: "127.0.0.1",
      PORT: "0",
      SIP_PORT: "0",
      ADMIN_API_KEY: adminKey,
      SECRETS_KEY: secretsKey,
      REDIS_URL: this.wires[slot]?.url ?? `redis://127.0.0.1:${redis}`,
      NODE_LOST_SECONDS: String(nodeLostSeconds),
      LEASE_SECONDS: String(leaseSeconds),
      // Of a room whose maker never learnt of it.
      ROOM_IDLE_SECONDS: "5",
      ALLOW_HTTP_WEBHOOKS: "true",
      ALLOW_LOCALHOST_WEBHOOKS: "true",
      ALLOW_LOCALHOST_MEDIA: "true",
      CONTRACT_CHECK: "all",
      SHUTDOWN_TIMEOUT_MS: "0",
      LOG_LEVEL: "info",
    };
  }
}
