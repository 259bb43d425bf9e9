/** Redis stores for the tests of one file: each with keys of its own, and a clock that stands still until it is moved. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll } from "@jest/globals";
import { Redis } from "ioredis";
import { createLog } from "../../src/log";
import { RedisStore, type RedisStoreOptions } from "../../src/store/redis";
import type { Store } from "../../src/store/store";
import type { Tried } from "../store/samples";
import { RedisServer } from "./server";

export interface RedisTried extends Tried {
  readonly store: RedisStore;
  /** Before each of its keys. */
  readonly prefix: string;
  /** Another instance of the gateway: the same keys and the same clock. By another way where one is given. */
  another(url?: string): RedisStore;
}

/** The same for all, so that their answers can be compared; ahead of what Redis itself goes by when it deletes. */
const begin = Date.now() + 3_600_000;

/**
 * The clock of stores, which must stand still for a walk to be the same twice. Scripts can look at nothing that all slots of
 * a cluster have in common but the channels somebody has subscribed to: the name of one is the time.
 */
class Clock {
  /** Lua: microseconds since the epoch. The later of two, while it is moved. */
  readonly expression: string;
  readonly #name = `clock:${randomUUID()}:`;
  readonly #clients: readonly Redis[];
  #ms = begin;

  constructor(clients: readonly Redis[]) {
    this.#clients = clients;
    this.expression = /* lua */ `(function()
      local latest = 0
      for _, name in ipairs(redis.call('PUBSUB', 'CHANNELS', '${this.#name}*')) do
        latest = math.max(latest, tonumber(string.sub(name, ${this.#name.length + 1})))
      end
      return latest * 1000
    end)()`;
  }

  async set(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.subscribe(this.#name + this.#ms)));
  }

  async advance(ms: number): Promise<void> {
    const before = this.#name + this.#ms;
    this.#ms += ms;
    if (ms === 0) return;
    await this.set();
    await Promise.all(this.#clients.map((client) => client.unsubscribe(before)));
  }
}

export const secretsKey = Buffer.from("a key for the tests of the store, long enough");

export interface RedisPlace {
  readonly url: string;
  make(options?: Partial<RedisStoreOptions>): Promise<RedisTried>;
  /** Runs Lua of the test's own: `KEYS[1]` is this key. */
  lua(text: string, key: string, ...args: (string | number)[]): Promise<unknown>;
}

/** The Redis that REDIS_URL names, a single server; otherwise one of their own. */
export function redisPlace(): RedisPlace {
  let server: RedisServer | null = null;
  let url = process.env.REDIS_URL ?? "";
  const clients: Redis[] = [];
  const prefix = `test:${randomUUID()}:`;
  beforeAll(async () => {
    if (url === "") {
      server = await RedisServer.start();
      url = server.url;
    }
    clients.push(new Redis(url));
  });
  afterAll(async () => {
    for (const client of clients) client.disconnect();
    if (server === null) await forget(url, prefix);
    await server?.stop();
  });
  return {
    get url() {
      return url;
    },
    make: (options) => makeStore(url, clients, prefix, options),
    lua: async (text, key, ...args) => {
      // Those of the clocks are for subscriptions alone.
      const client = new Redis(url);
      try {
        return await client.eval(text, 1, key, ...args);
      } finally {
        client.disconnect();
      }
    },
  };
}

/** @param clients one to each server that runs scripts */
export async function makeStore(
  url: string,
  clients: readonly Redis[],
  before: string,
  options: Partial<RedisStoreOptions> = {},
): Promise<RedisTried> {
  const clock = new Clock(clients);
  await clock.set();
  const prefix = `${before}${randomUUID()}:`;
  // None of these tests is about how long Redis may take, and the machine may be busy with others.
  const all = {
    log: createLog("silent"),
    url,
    prefix,
    secretsKey,
    clock: clock.expression,
    waitMs: 10_000,
    ...options,
  };
  const store = new RedisStore(all);
  return {
    store,
    prefix,
    advance: (ms) => clock.advance(ms),
    another: (way = url) => new RedisStore({ ...all, url: way }),
  };
}

/** Removes what tests have left in a Redis that is not theirs. */
async function forget(url: string, prefix: string): Promise<void> {
  const client = new Redis(url);
  for await (const keys of client.scanStream({ match: `${prefix}*`, count: 1000 })) {
    if (Array.isArray(keys) && keys.length > 0) await client.unlink(...keys);
  }
  client.disconnect();
}

/** Asks until it is answered. @throws what the last one was rejected with, after 10 s */
export async function eventually<T>(ask: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + 10_000; ; ) {
    try {
      return await ask();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Resolves when the store can be asked. */
export async function answering(store: Store): Promise<void> {
  await eventually(() => store.now());
}
