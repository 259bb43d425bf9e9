/** Receivers that accept everything and never answer: what they keep waiting is their own. */
import { randomBytes, randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { createLog } from "../../src/log";
import { MemoryStore } from "../../src/store/memory";
import { RedisStore } from "../../src/store/redis";
import type { Commit, PutApp, Session, Store, StoredEvent } from "../../src/store/store";
import type { WebhookOptions } from "../../src/webhooks/delivery";
import { eventually } from "../redis/place";
import { RedisServer } from "../redis/server";
import { type Endpoint, Place } from "./place";

/** Attempts of one app at a time. */
const perApp = 64;
const sessions = 100;
const eventsEach = 8;
/** Of the app whose receiver is sound. */
const soundSessions = 12;
const soundEvents = 15;

const places: Place[] = [];
afterEach(async () => {
  for (const place of places.splice(0)) await place.close();
});

let redis: RedisServer | null = null;
beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(async () => {
  await redis?.stop();
});

/** On a machine that is busy an answer may come too late: what a test asks is asked once more, as every call may run twice. */
class PatientStore extends RedisStore {
  override putApp(put: PutApp) {
    return eventually(() => super.putApp(put));
  }

  override createSession(session: Session, events: readonly StoredEvent[]) {
    return eventually(() => super.createSession(session, events));
  }

  override loadSession(session_uuid: string) {
    return eventually(() => super.loadSession(session_uuid));
  }

  override commit(commit: Commit) {
    return eventually(() => super.commit(commit));
  }
}

const stores: Readonly<Record<string, () => Store>> = {
  memory: () => new MemoryStore(),
  redis: () => {
    const url = redis?.url ?? "";
    const prefix = `test:${randomUUID()}:`;
    return new PatientStore({ url, prefix, secretsKey: randomBytes(32), log: createLog("silent") });
  },
};

describe.each(Object.keys(stores))("%s", (name) => {
  function open(options: Partial<WebhookOptions> = {}): Place {
    const store = stores[name]?.();
    if (!store) throw new Error(`no store ${name}`);
    const place = new Place({ store, retrySeconds: 60, ...options });
    places.push(place);
    return place;
  }

  /** An app whose receiver hangs, with more events than it may have attempted at a time. */
  async function stuck(place: Place, app_id: string): Promise<Endpoint> {
    const endpoint = await place.endpoint(() => undefined);
    await place.app(app_id, endpoint.url);
    for (let i = 0; i < sessions; i++) await place.commit(app_id, `${app_id} ${i}`, eventsEach);
    return endpoint;
  }

  /** All events of a sound receiver: of each session in order, each once. */
  async function delivered(place: Place): Promise<void> {
    const endpoint = await place.endpoint();
    await place.app("sound", endpoint.url);
    const ids = Array.from({ length: soundSessions }, (_, i) => `sound ${i}`);
    for (let turn = 0; turn < 3; turn++)
      for (const session of ids) await place.commit("sound", session, soundEvents / 3);
    await endpoint.until(soundSessions * soundEvents);
    const expected = Array.from({ length: soundEvents }, (_, i) => i + 1);
    for (const session of ids) {
      const arrived = endpoint.arrivals.filter((arrival) => arrival.name.startsWith(`${session}:`));
      expect(arrived.map(({ sequence }) => sequence)).toEqual(expected);
    }
  }

  /** Attempts that are under way at most: an end is in the log before another begins, and what has begun may not be here yet. */
  const hanging = ({ lines }: Place, tarpits: readonly Endpoint[]): number =>
    tarpits.reduce((sum, { arrivals }) => sum + arrivals.length, 0) -
    lines.filter(({ msg }) => msg === "webhook failed").length;

  test("an app's events all arrive while every attempt of another hangs, and ten times as many of its events wait", async () => {
    const place = open({ concurrencyPerApp: perApp });
    const tarpit = await stuck(place, "stuck");
    await tarpit.until(perApp);
    await delivered(place);
    expect(hanging(place, [tarpit])).toBeLessThanOrEqual(perApp);
    // Of no session more than the first has ever been sent: all others wait.
    expect(new Set(tarpit.arrivals.map(({ sequence }) => sequence))).toEqual(new Set([1]));
    expect(sessions * (eventsEach - 1)).toBeGreaterThanOrEqual(10 * perApp);
  });

  test("whoever comes last has attempts left, however many hang: the bound over all apps is nobody's alone", async () => {
    const place = open({ concurrencyPerApp: perApp, concurrency: perApp + 20 });
    const tarpits: Endpoint[] = [];
    for (const app_id of ["one", "two", "three"]) tarpits.push(await stuck(place, app_id));
    await Promise.all(tarpits.map((tarpit) => tarpit.until(1)));
    await delivered(place);
    expect(hanging(place, tarpits)).toBeLessThan(perApp + 20);
  });
});
