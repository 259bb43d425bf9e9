/** What requests are about: calls and rooms in the states that their errors need, brought about by commands. */
import { Broken, Skipped } from "../../check";
import { expectStatus, type KitApp, type KitCall } from "../ground/app";
import { connected, together, Wire } from "../ground/wire";
import type { World } from "../world";
import type { Condition } from "./facts";
import { type HttpRequest, nobody, type Origin } from "./requests";

/** As many as one app may have. */
const most_streams = 10;
const most_rooms = 1000;
/** So many are asked for at once. */
const packet = 50;
/** How long a call may need to be what it was made. */
const settleMs = 8000;

/** One header each, as an app sends them. */
export function headersOf({ app_id, api_key }: KitApp): Readonly<Record<string, string>> {
  return { "X-App-ID": app_id, "X-API-Key": api_key };
}

/** Who sends the requests of checks, and where their files lie. */
export function originOf(world: Pick<World, "url" | "admin">, app: KitApp): Origin {
  return {
    url: world.url,
    app: headersOf(app),
    /** @throws Skipped without an admin key */
    get admin() {
      return { "X-Admin-API-Key": String(world.admin["X-Admin-API-Key"]) };
    },
  };
}

/** An app that there is not, whoever uses this gateway besides. */
export const absentApp = ({ run }: World): string => `kit-${run}-absent`;
/** One that checks make anew as they like. */
export const scratchApp = ({ run }: World): string => `kit-${run}-scratch`;

/** A number that nobody has. */
export const absentNumber = ({ run }: World): string => `79${Number.parseInt(run, 16)}`;

/** A call that is what a check needs, and the room that it speaks of. */
export interface Stage {
  readonly call: KitCall;
  /** On the media server of the call; it is in it when it is a member. */
  readonly room_id: string;
  /** No other check knows of it. */
  readonly own: boolean;
}

const made = new WeakMap<World, Map<string, Promise<Stage>>>();

/** One for all checks that change nothing about it. */
export async function callIn(world: World, condition: Condition): Promise<Stage> {
  const stages = made.get(world) ?? new Map<string, Promise<Stage>>();
  made.set(world, stages);
  const key = JSON.stringify(condition);
  const known = stages.get(key) ?? build(world, condition);
  stages.set(key, known);
  const { call } = await known;
  if (!call.events.some(({ event }) => event === "call.hangup")) return known;
  // Somebody's phone has lost patience: whoever finds out first has a new one called.
  const next = stages.get(key);
  const renewed = next && next !== known ? next : build(world, condition);
  stages.set(key, renewed);
  return renewed;
}

/** A call of one's own. @throws Skipped when this media server cannot have such a call */
export async function newCallIn(world: World, condition: Condition): Promise<Stage> {
  if (world.caller.kind === "manual") throw new Skipped("Too many calls to place them by hand.");
  return { ...(await build(world, condition)), own: true };
}

/** A call of a check's own ends with it, for each costs its media server something. */
export async function leave({ call, own }: Stage): Promise<void> {
  const path = `/api/v1/sessions/${call.source}/commands/hangup`;
  if (own) await call.app.world.client.send({ method: "POST", path, headers: headersOf(call.app) });
}

async function build(world: World, { state, member, muted, recorded }: Condition): Promise<Stage> {
  if (state === "handed_back") await dialplan(world);
  const app = await world.main();
  const call = await app.call();
  const room_id = (await app.room(call.source)).source;
  if (state === "ringing") return { call, room_id, own: false };
  await call.done("answer");
  if (member !== "no") {
    const joined = member === "this" ? room_id : (await app.room(call.source)).source;
    await call.done("joinRoom", { room_id: joined, muted: muted === "yes" });
  }
  if (recorded === "yes") await record(call);
  if (state === "handed_back") await handBack(call);
  return { call, room_id, own: false };
}

async function record(call: KitCall): Promise<void> {
  const answer = await call.command("startRecording");
  if (answer.body?.code === "recording_not_available") throw new Skipped("The gateway does not record.");
  if (answer.body?.code === "not_supported") throw new Skipped("The media server does not record.");
  expectStatus(answer, 202);
  await call.app.endpoint.result(String(answer.body?.operation_id));
}

/** Found out once. @throws Skipped when a call that is handed back ends */
export function dialplan(world: World): Promise<void> {
  return world.once("a dialplan", async () => {
    const call = await (await world.main()).answered();
    await handBack(call);
  });
}

export async function handBack(call: KitCall): Promise<void> {
  await call.result("disconnect");
  const deadline = performance.now() + settleMs;
  for (;;) {
    const answer = await call.app.get(`/api/v1/sessions/${call.source}`);
    if (answer.status === 404) throw new Skipped("This media server has no dialplan: a call that it is handed ends.");
    if (answer.body?.state === "handed_back") return;
    if (performance.now() > deadline)
      throw new Broken({
        expected: "a call that was handed back",
        got: String(answer.body?.state),
        exchanges: [answer.exchange],
      });
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** A recording that is whole. @returns its id */
export function recordingOf(world: World): Promise<string> {
  return world.once("a whole recording", async () => {
    const { call } = await build(world, { state: "answered", member: "no", muted: "no", recorded: "yes" });
    await call.done("stopRecording");
    const { data } = await call.event("recording.completed");
    await call.taken("hangup");
    return String(data.recording_id);
  });
}

/** An app that reads as many streams as it may. */
export function readers(world: World): Promise<KitApp> {
  return world.once("an app with all of its streams", async () => {
    const app = await world.app();
    const request = { method: "GET", path: "/api/v1/events", headers: headersOf(app), body: null };
    for (let n = 0; n < most_streams; n += 1) {
      const wire = new Wire(await connected(world.url), world.url);
      world.atEnd(() => wire.destroy());
      wire.send(request);
      const { status, exchange } = await wire.head();
      if (status !== 200)
        throw new Broken({
          expected: `${most_streams} streams of one app`,
          got: `${status} to the ${n + 1}th`,
          exchanges: [exchange],
        });
    }
    return app;
  });
}

/** The name of one of the rooms of {@link crowd}. */
export const crowdedName = "kit-crowd-0";

/** An app that has as many rooms as it may. @throws Skipped where a thousand rooms are no matter of bookkeeping alone */
export function crowd(world: World): Promise<KitApp> {
  return world.once("an app with all of its rooms", async () => {
    if (world.caller.kind !== "sandbox") throw new Skipped("A thousand rooms are no small load for a media server.");
    const app = await world.app({ rate_limit: 10_000, webhook_url: "" });
    const headers = { ...headersOf(app), "Content-Type": "application/json" };
    for (let first = 0; first < most_rooms; first += packet) {
      const requests = Array.from({ length: packet }, (_, n) => {
        const body = JSON.stringify({ name: `kit-crowd-${first + n}` });
        return { method: "POST", path: "/api/v1/conferences", headers, body };
      });
      for (const { status, exchange } of await together(world.url, requests))
        if (status !== 201)
          throw new Broken({ expected: `${most_rooms} rooms of one app`, got: String(status), exchanges: [exchange] });
    }
    return app;
  });
}

/** An app that may ask once in a second. */
export function slowApp(world: World): Promise<KitApp> {
  return world.once("an app of one request per second", () => world.app({ rate_limit: 1, webhook_url: "" }));
}

/** Uses up what an app may ask in this second. */
export function opener(app: KitApp): HttpRequest {
  return { method: "GET", path: `/api/v1/sessions/${nobody.uuid}`, headers: headersOf(app), body: null };
}
