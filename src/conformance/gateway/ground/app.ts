/** An app of the kit, and its calls. */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { operations } from "../../../../generated/operations";
import { Broken } from "../../check";
import type { Placed, ScriptStep } from "./caller";
import type { Answer, JsonObject, RequestHeaders } from "./client";
import type { Commands, RoomCommand, SessionCommand } from "./declared";
import type { Delivery, Endpoint } from "./endpoint";
import type { Stage } from "./stage";

export type { Commands, RoomCommand, SessionCommand } from "./declared";

/** Longer than a media server may take, for a machine that has much to do. */
const graceMs = 10_000;
/** The gateway's clock and ours do not tick together. */
const cooldownMarginMs = 20;

export class KitApp {
  constructor(
    readonly world: Stage,
    readonly app_id: string,
    readonly api_key: string,
    /** Calls to this number are this app's. */
    readonly did: string,
    readonly endpoint: Endpoint,
  ) {}

  /** It was deleted. */
  removed = false;

  /** All events come to the endpoint. */
  get hears(): boolean {
    return this.endpoint.wanted?.length === 0 && !this.endpoint.mayMiss;
  }

  get headers(): RequestHeaders {
    return { "X-App-ID": this.app_id, "X-API-Key": this.api_key };
  }

  get(path: string, headers: RequestHeaders = {}): Promise<Answer> {
    return this.world.request({ method: "GET", path, headers: { ...this.headers, ...headers } });
  }

  post(path: string, body: object, headers: RequestHeaders = {}): Promise<Answer> {
    return this.world.request({ method: "POST", path, headers: { ...this.headers, ...headers }, body });
  }

  delete(path: string): Promise<Answer> {
    return this.world.request({ method: "DELETE", path, headers: this.headers });
  }

  /** A call that rings, or does what its caller's script says. */
  async call(script: readonly ScriptStep[] = []): Promise<KitCall> {
    const placed = await this.world.caller.place(this, script);
    this.world.laws.placed(this.endpoint, placed.session_uuid);
    return new KitCall(this, placed);
  }

  /** A call that is answered. */
  async answered(script: readonly ScriptStep[] = []): Promise<KitCall> {
    const call = await this.call(script);
    await call.done("answer");
    return call;
  }

  /** A room of its own; on the media server of a call. */
  async room(session_uuid?: string): Promise<KitRoom> {
    const body = { name: `Kit_${randomUUID()}`, ...(session_uuid !== undefined && { session_uuid }) };
    const answer = await this.post("/api/v1/conferences", body);
    expectStatus(answer, 201);
    const room_id = String(answer.body?.room_id);
    this.world.laws.placed(this.endpoint, room_id);
    return new KitRoom(this, room_id, body.name);
  }

  /** Its calls are ended, and all of it is gone. */
  async remove(): Promise<void> {
    this.removed = true;
    const path = `/admin/apps/${this.app_id}`;
    await this.world.client.send({ method: "DELETE", path, headers: this.world.admin });
    this.world.client.knows(this.app_id, null);
    this.world.client.ledger.deleted.add(this.app_id);
  }
}

/** What takes commands: a call or a room. */
abstract class Subject<C extends Commands> {
  constructor(
    readonly app: KitApp,
    /** Session uuid or room id: whose sequence its events have. */
    readonly source: string,
  ) {}

  /** Path of a command. */
  pathOf(command: C): string {
    return operations[command].path.replace(/\{\w+\}/, this.source);
  }

  /** Sends a command. The answer is held against the document, whatever it is. */
  command(command: C, body: JsonObject = {}): Promise<Answer> {
    return this.app.post(this.pathOf(command), body);
  }

  /** Sends a command that must be taken. @returns its operation_id */
  async taken(command: C, body: JsonObject = {}): Promise<string> {
    const answer = await this.command(command, body);
    expectStatus(answer, 202);
    return String(answer.body?.operation_id);
  }

  /** Sends a command that must be taken, and waits for its result. */
  async result(command: C, body: JsonObject = {}): Promise<Delivery> {
    return this.#resultOf(await this.command(command, body));
  }

  /** Sends a command that must be taken and must succeed. */
  async done(command: C, body: JsonObject = {}): Promise<Delivery> {
    return this.#succeeded(command, await this.result(command, body));
  }

  #resultOf(answer: Answer): Promise<Delivery> {
    expectStatus(answer, 202);
    const limit = Number(answer.body?.timeout_ms) + graceMs;
    return this.app.endpoint.result(String(answer.body?.operation_id), limit);
  }

  #succeeded(command: C, result: Delivery): Delivery {
    if (result.data.success === true) return result;
    throw new Broken({ expected: `${command} that succeeds`, got: String(result.data.error), seen: this.seen });
  }

  /** Sends a command that must be taken as soon as its cooldown allows, and waits for its result. */
  async resultInTime(command: C, body: JsonObject = {}): Promise<Delivery> {
    const answer = await this.command(command, body);
    if (answer.body?.code !== "command_rate_limited") return this.#resultOf(answer);
    await cooled(answer);
    return this.result(command, body);
  }

  /** Sends a command that must be taken as soon as its cooldown allows, and must succeed. */
  async doneInTime(command: C, body: JsonObject = {}): Promise<Delivery> {
    return this.#succeeded(command, await this.resultInTime(command, body));
  }

  /** The first event of this name behind this sequence, that has come or will. */
  event(name: string, after = 0, withinMs?: number): Promise<Delivery> {
    return this.app.endpoint.event(name, { source: this.source, after }, withinMs);
  }

  /** Its events so far, in the order of arrival. */
  get events(): readonly Delivery[] {
    return this.app.endpoint.of(this.source);
  }

  /** Those of this name. */
  named(name: string): readonly Delivery[] {
    return this.events.filter(({ event }) => event === name);
  }

  /** The last of them, for a report. */
  get seen(): string[] {
    return this.app.endpoint.lines(this.events);
  }
}

export class KitCall extends Subject<SessionCommand> {
  constructor(
    app: KitApp,
    readonly placed: Placed,
  ) {
    super(app, placed.session_uuid);
  }

  /** What the gateway says of it. */
  async state(): Promise<JsonObject> {
    const answer = await this.app.get(`/api/v1/sessions/${this.source}`);
    expectStatus(answer, 200);
    return answer.body ?? {};
  }

  /** Ends it. @returns its `call.hangup` */
  async hangup(): Promise<Delivery> {
    await this.taken("hangup");
    return this.event("call.hangup");
  }
}

export class KitRoom extends Subject<RoomCommand> {
  constructor(
    app: KitApp,
    room_id: string,
    readonly name: string,
  ) {
    super(app, room_id);
  }

  /** What the gateway says of it. */
  async state(): Promise<JsonObject> {
    const answer = await this.app.get(`/api/v1/conferences/${this.source}`);
    expectStatus(answer, 200);
    return answer.body ?? {};
  }

  /** Closes it. @returns its `conference.destroyed` */
  async close(): Promise<Delivery> {
    expectStatus(await this.app.delete(`/api/v1/conferences/${this.source}`), 204);
    return this.event("conference.destroyed");
  }
}

/** Until the cooldown is over that this answer tells of. */
export async function cooled({ body }: Answer): Promise<void> {
  await delay(Number(Object(body?.detail).retry_after_ms) + cooldownMarginMs);
}

/** @throws Broken unless the answer has this status */
export function expectStatus(answer: Answer, status: number): void {
  if (answer.status === status) return;
  const got = `${answer.status} ${answer.bytes.toString("utf8").slice(0, 200)}`;
  throw new Broken({ expected: String(status), got, exchanges: [answer.exchange] });
}
