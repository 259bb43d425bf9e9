/** An endpoint that answers 410: its webhooks are turned off, and what follows lies among the dead letters. */
import { setTimeout as delay } from "node:timers/promises";
import { Broken, type Check } from "../../check";
import { expectStatus, type KitApp, type KitCall } from "../ground/app";
import type { Answer, JsonObject } from "../ground/client";
import type { Delivery } from "../ground/endpoint";
import { allEvents } from "../laws/records";
import type { World } from "../world";
import { shown } from "./changed";

const patienceMs = 8_000;

/** What became of an app whose endpoint answered one event with 410. */
export interface Gone {
  readonly app: KitApp;
  readonly call: KitCall;
  /** How the app was shown afterwards. */
  readonly off: Answer;
  /** Attempts until its call had ended. */
  readonly attempts: readonly Delivery[];
  /** Events of the call by the list. */
  readonly events: readonly JsonObject[];
  /** The newest first. */
  readonly letters: readonly JsonObject[];
  /** One page with all of them. */
  readonly page: Answer;
}

export function list(app: KitApp, query: string): Promise<Answer> {
  const { world, app_id } = app;
  return world.request({ method: "GET", path: `/admin/apps/${app_id}/dead-letters${query}`, headers: world.admin });
}

export function lettersOf(answer: Answer): readonly JsonObject[] {
  expectStatus(answer, 200);
  const { dead_letters } = answer.body ?? {};
  return Array.isArray(dead_letters) ? dead_letters : [];
}

/** Asks until it is so, or the time is over. @returns the last answer */
export async function until<T>(ask: () => Promise<T>, enough: (answer: T) => boolean): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const answer = await ask();
    if (enough(answer) || performance.now() > deadline) return answer;
    await delay(150);
  }
}

/** An app of its own: what happens to it can happen once. */
export async function gone(world: World): Promise<Gone> {
  const app = await world.app();
  const { endpoint } = app;
  const call = await app.call();
  await call.event("call.new");
  endpoint.reply = ({ event }) => (event === "call.answered" ? 410 : 204);
  endpoint.mayMiss = true;
  await call.taken("answer");
  await endpoint.until("an event to be refused", () =>
    endpoint.deliveries.find(({ event }) => event === "call.answered"),
  );
  const off = await until(
    () => shown(app),
    ({ body }) => body?.webhook_disabled_at !== null,
  );
  await call.taken("hangup");
  const page = await until(
    () => list(app, "?limit=100"),
    (answer) => lettersOf(answer).some(({ event }) => event === "call.hangup"),
  );
  const events = await allEvents(app, call.source);
  return { app, call, off, attempts: [...endpoint.deliveries], events, letters: lettersOf(page), page };
}

export const once = (world: World): Promise<Gone> => world.once("gone", () => gone(world));

export const goneChecks: readonly Check<World>[] = [
  {
    id: "webhooks/gone/shown",
    title: "After an answer 410 the app is shown with its webhooks turned off",
    clause: "webhooks: 410; getApp: webhook_disabled_at",
    profile: "full",
    async run(world) {
      const { off } = await once(world);
      if (typeof off.body?.webhook_disabled_at !== "string")
        throw new Broken({
          expected: "webhook_disabled_at",
          got: String(off.body?.webhook_disabled_at),
          exchanges: [off.exchange],
        });
    },
  },
  {
    id: "webhooks/gone/silent",
    title: "After an answer 410 nothing is sent any more",
    clause: "webhooks: 410",
    profile: "full",
    async run(world) {
      const { app, attempts } = await once(world);
      const names = attempts.map(({ event }) => event).join(", ");
      if (names !== "call.new, call.answered")
        throw new Broken({ expected: "call.new, call.answered", got: names, seen: app.endpoint.lines(attempts) });
    },
  },
];
