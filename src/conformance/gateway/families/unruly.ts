/** An app whose endpoint does not take what it is sent. */
import { Skipped } from "../../check";
import type { KitApp, KitCall } from "../ground/app";
import type { Delivery, Reply } from "../ground/endpoint";
import type { World } from "../world";

/** What was refused comes again within this time: the first wait takes a second by default. */
export const againMs = 20_000;
/** The first wait is a share of the time in which an event is tried again: with more it is too long to be waited for. */
const longestRetrySeconds = 1_500;

/** For how long the gateway tries an event again. @throws Skipped when its waits are longer than a check may take */
export function retrySeconds({ settings }: World): number {
  const { webhookRetrySeconds = 300 } = settings;
  if (webhookRetrySeconds <= longestRetrySeconds) return webhookRetrySeconds;
  throw new Skipped(
    `With WEBHOOK_RETRY_SECONDS ${webhookRetrySeconds} a second attempt comes too late to be waited for.`,
  );
}

/** An app whose endpoint refuses what a check wants to be refused, each in the events of its own call. */
export class Unruly {
  readonly #replies = new Map<string, (delivery: Delivery) => Reply | Promise<Reply>>();

  private constructor(readonly app: KitApp) {
    app.endpoint.reply = (delivery) => this.#replies.get(delivery.source)?.(delivery) ?? 204;
  }

  static of(world: World): Promise<Unruly> {
    return world.once("unruly", async () => new Unruly(await world.app()));
  }

  /** A call whose events are answered in this way from now on. */
  async call(reply: (delivery: Delivery) => Reply | Promise<Reply>): Promise<KitCall> {
    const call = await this.app.call();
    await call.event("call.new");
    this.#replies.set(call.source, reply);
    return call;
  }
}

/** All attempts of the first event of this name of a call. */
export function attemptsOf(call: KitCall, name: string): readonly Delivery[] {
  const all = call.app.endpoint.deliveries.filter(({ source, event }) => source === call.source && event === name);
  return all.filter(({ id }) => id === all[0]?.id);
}

/** Waits until so many attempts of it have come. */
export function attempted(
  call: KitCall,
  name: string,
  count: number,
  withinMs = againMs,
): Promise<readonly Delivery[]> {
  const find = () => {
    const attempts = attemptsOf(call, name);
    return attempts.length >= count ? attempts : undefined;
  };
  return call.app.endpoint.until(`attempt ${count} of ${name} of ${call.source}`, find, withinMs);
}

/** An answered call whose `call.answered` is refused in these ways, one after the other, and then taken. */
export async function refused(world: World, replies: readonly Reply[]): Promise<readonly Delivery[]> {
  retrySeconds(world);
  const unruly = await Unruly.of(world);
  let made = 0;
  const call = await unruly.call(({ event }) => (event === "call.answered" ? (replies[made++] ?? 204) : 204));
  await call.taken("answer");
  const attempts = await attempted(call, "call.answered", replies.length + 1, againMs * replies.length);
  await call.hangup();
  return attempts;
}

/** Milliseconds between attempt `n` and the one before it. */
export const gap = (attempts: readonly Delivery[], n: number): number =>
  (attempts[n]?.at ?? 0) - (attempts[n - 1]?.at ?? 0);
