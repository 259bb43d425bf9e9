/** Steps 5 to 13 of the checks: who asks, how often, and what the store says about it. */
import { createHash, randomUUID, timingSafeEqual } from "node:crypto";
import type { Context } from "koa";
import { patterns } from "../../generated/operations";
import type { CommandId, ErrorCode, RoomCommandId } from "../contract";
import { nodeOf } from "../ids";
import { keyDigest } from "../keys";
import type { Log } from "../log";
import type { Meter } from "../metrics";
import type { Admission, CommandAdmission, Store } from "../store/store";
import type { JsonObject } from "./body";
import { BoundedMap } from "./bounded_map";
import { type Fault, fault, faultOf } from "./envelope";
import type { Exchange } from "./exchange";
import { fingerprint } from "./fingerprint";
import { FrontDoor } from "./front_door";
import type { Route } from "./routes";

export interface CheckOptions {
  readonly store: Store;
  readonly log: Log;
  readonly meter: Pick<Meter, "admission">;
  readonly adminApiKey: string | null;
  readonly secretsKey: Buffer;
  readonly defaultRateLimit: number;
  readonly authFailuresPerSecond: number;
  /**
   * What this instance knows to refuse, whatever the state of the call or room is: the media server cannot do it, or it is
   * off.
   *
   * @param id session or room that the command is for
   */
  readonly barred: (command: CommandId | RoomCommandId, id: string) => ErrorCode | null;
}

const app_id_form = new RegExp(patterns.app_id);
/** Digests that are remembered: one per app that has been seen lately. */
const max_digests = 10_000;
/** Pairs of app and address that are remembered for having used up their quota. */
const max_floods = 10_000;
/** Before the end of a window by as much bodies are read again: the store's clock may be in the next one by then. */
const early_ms = 50;

/** Takes the same time whatever the difference is: connections of a proxy carry keys of more than one client. */
function same(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i += 1) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}

export class Checks {
  private readonly frontDoor: FrontDoor;
  private readonly digests = new BoundedMap<Buffer>(max_digests);
  /** Until when an app is over its quota at an address, by `performance.now()`. */
  private readonly floods = new BoundedMap<number>(max_floods);
  private readonly adminKey: Buffer | null;

  constructor(private readonly options: CheckOptions) {
    this.frontDoor = new FrontDoor(options.authFailuresPerSecond);
    this.adminKey = options.adminApiKey === null ? null : digestOf(options.adminApiKey);
  }

  /** Step 5 of admin routes. */
  async admin(ctx: Context, address: string): Promise<void> {
    if (!this.frontDoor.quiet) await this.frontDoor.enter(ctx, address);
    if (this.adminKey === null) throw fault("503 Admin API not configured");
    const given = ctx.req.headers["x-admin-api-key"];
    if (given === undefined) return this.failed(ctx, address, fault("401 Missing X-Admin-API-Key header"));
    if (!timingSafeEqual(digestOf(String(given)), this.adminKey))
      return this.failed(ctx, address, fault("401 Invalid admin API key"));
  }

  /** Step 6 of admin routes. */
  async adminQuota(exchange: Exchange, address: string): Promise<void> {
    const quota = await this.options.store.countAdmin(address, this.options.defaultRateLimit);
    exchange.quota = quota;
    if (quota.exceeded) throw fault("429 Rate limit exceeded", undefined, quota.reset_ms);
  }

  /**
   * Step 5 of app routes, as far as it decides whether a body may be read: {@link counted} has the authority's word on the key.
   * The digest that was accepted last on this connection needs no look-up, the one of the app elsewhere no question.
   */
  app(ctx: Context, exchange: Exchange, address: string): Promise<void> | undefined {
    const { connection, req } = exchange;
    const app_id = req.headers["x-app-id"];
    const api_key = req.headers["x-api-key"];
    if (!connection.known || typeof app_id !== "string" || typeof api_key !== "string" || !this.frontDoor.quiet)
      return this.stranger(ctx, exchange, address);
    if (connection.app_id !== app_id || !same(connection.api_key, api_key))
      return this.stranger(ctx, exchange, address);
    exchange.app_id = app_id;
    exchange.digest = connection.digest;
    return undefined;
  }

  private async stranger(ctx: Context, exchange: Exchange, address: string): Promise<void> {
    if (!this.frontDoor.quiet) await this.frontDoor.enter(ctx, address);
    const { connection, req } = exchange;
    const app_id = req.headers["x-app-id"];
    const api_key = req.headers["x-api-key"];
    if (app_id === undefined) return this.failed(ctx, address, fault("400 Missing X-App-ID header"));
    // Fields that came twice are joined by a comma and a space: neither an id nor a key has these.
    if (typeof app_id !== "string" || !app_id_form.test(app_id))
      return this.failed(ctx, address, fault("400 Invalid X-App-ID format"));
    if (api_key === undefined) return this.failed(ctx, address, fault("401 Missing API key"));
    const key = String(api_key);
    exchange.app_id = app_id;
    if (connection.app_id !== app_id || !same(connection.api_key, key)) {
      connection.app_id = app_id;
      connection.api_key = key;
      connection.digest = keyDigest(this.options.secretsKey, app_id, key);
      connection.known = false;
    }
    exchange.digest = connection.digest;
    if (connection.known) return;
    const digest = Buffer.from(exchange.digest);
    const remembered = this.digests.get(app_id);
    if (remembered === undefined || !timingSafeEqual(remembered, digest)) {
      if (!(await this.knows(exchange, app_id))) return this.failed(ctx, address, fault("401 Invalid API key"));
      this.digests.set(app_id, digest);
    }
    // Another request may have brought other credentials meanwhile.
    if (connection.digest === exchange.digest) connection.known = true;
  }

  /** Answers a failure of step 5, unless the address has used up its number of them. */
  private async failed(ctx: Context, address: string, error: Fault): Promise<never> {
    await this.frontDoor.failed(ctx, address);
    throw error;
  }

  private async knows(exchange: Exchange, app_id: string): Promise<boolean> {
    try {
      return await this.options.store.authenticate(app_id, exchange.digest);
    } catch (error) {
      throw this.away(exchange, error);
    }
  }

  private away(exchange: Exchange, err: unknown): Fault {
    this.options.log.error({ request_id: exchange.id, app_id: exchange.app_id, err }, "the store cannot be asked");
    return fault("500 Internal error validating API key");
  }

  /** Was this app over its quota at this address a moment ago? */
  flooded({ app_id }: Exchange, address: string): boolean {
    if (this.floods.size === 0) return false;
    const flood = `${address} ${app_id}`;
    const until = this.floods.get(flood);
    if (until === undefined) return false;
    if (until > performance.now()) return true;
    this.floods.delete(flood);
    return false;
  }

  /**
   * Steps 5 and 6 for one who is over his quota, so that his body is neither read nor judged. The store is asked all the
   * same: a key that was taken back comes first, and a limit that was raised holds from the next request on. Then this
   * request goes on as any other, and counts twice.
   */
  async unread(ctx: Context, exchange: Exchange, address: string): Promise<void> {
    await this.counted(ctx, exchange, address, true, false, null);
    this.floods.delete(`${address} ${exchange.app_id}`);
  }

  /**
   * Steps 5, 6 and 9 to 13 in one question to the store: what it says of a request whose key and quota hold.
   *
   * @param held an error of the body or the parameters was found, and waits for its turn
   */
  async counted(
    ctx: Context,
    exchange: Exchange,
    address: string,
    held: boolean,
    ended: boolean,
    command: CommandAdmission | null,
  ): Promise<Counted> {
    const { store, meter, defaultRateLimit } = this.options;
    const { app_id = "", session_uuid = null, room_id = null, digest } = exchange;
    const asked = performance.now();
    let admission: Admission;
    try {
      admission = await store.admit({
        app_id,
        digest,
        address,
        default_rate_limit: defaultRateLimit,
        held,
        session_uuid,
        room_id,
        ended,
        command,
      });
    } catch (error) {
      throw this.away(exchange, error);
    } finally {
      meter.admission((performance.now() - asked) / 1000);
    }
    if (admission.outcome === "key") {
      exchange.connection.known = false;
      this.digests.delete(app_id);
      return this.failed(ctx, address, fault("401 Invalid API key"));
    }
    exchange.quota = admission.quota;
    if (admission.outcome !== "quota") return admission;
    const { reset_ms } = admission.quota;
    this.floods.set(`${address} ${app_id}`, asked + reset_ms - early_ms);
    throw fault("429 Rate limit exceeded", undefined, reset_ms);
  }

  /**
   * Steps 8 to 13, by what {@link counted} has answered: admitted, or answered before.
   *
   * @throws the first error; `held` where that is the one that was found before
   */
  admitted(
    exchange: Exchange,
    admission: Counted,
    held: Fault | null,
  ): Extract<Admission, { outcome: "admitted" | "replay" }> {
    if (admission.outcome === "admitted") return admission;
    exchange.replayed = admission.outcome === "replay";
    if (admission.outcome === "replay" && admission.status === 202) return admission;
    throw refusal(admission, held, exchange.room_id);
  }

  /** A command as the store is asked to admit it; null: it is none. */
  command(route: Route, { session_uuid, room_id }: Exchange, body: JsonObject): CommandAdmission | null {
    const { command } = route;
    if (command === null) return null;
    const { command_uid } = body;
    const uid_given = typeof command_uid === "string";
    return {
      command: command.name,
      operation_id: randomUUID(),
      command_uid: uid_given ? command_uid : randomUUID(),
      uid_given,
      // Only a uid that the caller chose is ever compared.
      fingerprint: uid_given ? fingerprint(command.name, body) : "",
      barred: this.options.barred(command.id, session_uuid ?? room_id ?? ""),
      guards: route.guards(body),
      cooldown: command.cooldown,
      timeout_ms: command.timeout_ms,
    };
  }
}

export type Counted = Exclude<Admission, { outcome: "key" | "quota" }>;
type Refused = Exclude<Counted, { outcome: "admitted" }>;

/** The table from what the store refuses to what is answered. */
function refusal(admission: Refused, held: Fault | null, room_id: string | undefined): Error {
  switch (admission.outcome) {
    case "held":
      return held ?? new Error("the store answered a held error that there is not");
    case "session_gone":
      return fault("404 Session not found");
    case "session_foreign":
      return fault("403 Session belongs to a different application");
    case "room_gone":
      return fault("404 Room not found");
    case "room_foreign":
      return fault("403 Room belongs to a different application");
    case "uid_used":
      return fault("409 command_uid already used for a different command");
    case "uid_busy":
      return fault("409 command_uid is still being processed");
    case "replay":
      return fault("504 Media server timed out");
    case "refused":
      return faultOf(
        admission.error,
        admission.error === "room_on_other_node" ? { node: nodeOf(room_id ?? "") } : undefined,
      );
    case "cooldown":
      return fault(
        "429 Command rate limited",
        { retry_after_ms: Math.ceil(admission.retry_after_ms) },
        admission.retry_after_ms,
      );
  }
}

function digestOf(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}
