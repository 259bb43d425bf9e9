/** Gateways that have the same store and the same media server, and what they tell. */
import { setTimeout as delay } from "node:timers/promises";
import type { SessionsOptions } from "../../src/sessions/sessions";
import type { Exchange } from "../engine/exchange";
import { ExchangeEngine } from "../engine/exchange-engine";
import { Place } from "./place";

export interface Instance {
  readonly engine: ExchangeEngine;
  readonly here: Place;
}

/** Short, so that a node is soon another one's; longer than a machine that has much to do stands still. */
const leaseMs = 200;
const open: Instance[] = [];

/** A gateway that has this media server, on the store of another one. */
export async function instance(
  exchange: Exchange,
  beside?: Instance,
  options: Partial<SessionsOptions> = {},
): Promise<Instance> {
  const engine = new ExchangeEngine(exchange);
  const here = await Place.open([engine], { leaseMs, commandTimeoutMs: 2000, ...options }, beside?.here);
  const made = { engine, here };
  open.push(made);
  await engine.start(here.sessions);
  return made;
}

export async function closeInstances(): Promise<void> {
  for (const { engine, here } of open.splice(0)) {
    await engine.close();
    await here.close();
  }
}

/** The end of a gateway in order: its calls stay up. */
export async function shutDown({ engine, here }: Instance): Promise<void> {
  await engine.close();
  await here.sessions.close();
}

/** Resolves once this one has taken up what the media server has. */
export async function taken({ engine, here }: Instance): Promise<void> {
  while (!engine.isReading || here.sessions.leases.own === 0) await delay(5);
  await engine.synced;
}

/** A second gateway takes the media server over from the first one, which is shut down. */
export async function takeOver(exchange: Exchange, first: Instance): Promise<Instance> {
  const second = await instance(exchange, first);
  await shutDown(first);
  await taken(second);
  return second;
}

/** A call that was answered. */
export async function answered(exchange: Exchange, { here }: Instance): Promise<string> {
  const { session_uuid, verdict } = exchange.ring();
  if ((await verdict) !== "accepted") throw new Error("the call was not accepted");
  await here.command("answer", session_uuid, {});
  await here.event(session_uuid, "call.answered");
  return session_uuid;
}

/** What was told of a call after its answer, or of a room: each event in a word or two. */
export async function said({ here }: Instance, id: string): Promise<string[]> {
  const told = (await here.told(id)).map(({ event, data }) => {
    if (event === "command.result") return `${data.command} ${data.success ? "done" : data.error}`;
    return [event, data.reason ?? data.status ?? data.cause, data.by].filter(Boolean).join(" ");
  });
  return told.slice(told.indexOf("answer done") + 1);
}
