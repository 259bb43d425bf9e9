import type { ErrorCode } from "../../contract";
import type { Admission, AdmissionRequest, CommandAdmission, Quota, Room, Session } from "../store";
import type { Context } from "./context";
import { guardsOf, operationOf } from "./encoding";
import type { Living } from "./living";
import { admit } from "./lua/admit";
import { type KnownSettings, loadedOf } from "./settings";

/** One request against an app: one script in the app's slot, and nothing else but on the way to a 403 or 404. */
export class Admissions {
  readonly #context: Context;
  readonly #living: Living;
  readonly #settings: KnownSettings;

  constructor(context: Context, living: Living, settings: KnownSettings) {
    this.#context = context;
    this.#living = living;
    this.#settings = settings;
  }

  async admit(request: AdmissionRequest): Promise<Admission> {
    const { app_id, session_uuid, room_id } = request;
    const known = this.#settings.of(app_id);
    const told = await this.#asked(request, known.stamp);
    if (typeof told === "string") return this.#admitted(app_id, known, told);
    if (!Array.isArray(told)) throw new TypeError("an admission is answered with a text or a list");
    const [outcome, limit, count, reset_ms] = told;
    if (outcome === "key") return { outcome };
    const quota = quotaOf(limit, count, reset_ms);
    switch (outcome) {
      case "quota":
      case "held":
      case "uid_used":
      case "uid_busy":
        return { outcome, quota };
      case "session_gone":
        return (await this.#living.isForeign(app_id, session_uuid ?? "", "session"))
          ? { outcome: "session_foreign", quota }
          : { outcome, quota };
      case "room_gone":
        return (await this.#living.isForeign(app_id, room_id ?? "", "room"))
          ? { outcome: "room_foreign", quota }
          : { outcome, quota };
      case "replay": {
        const [status, operation_id, timeout_ms] = told.slice(4);
        const was = { operation_id: String(operation_id), timeout_ms: Number(timeout_ms) };
        return { outcome, quota, status: status === "504" ? 504 : 202, ...was };
      }
      case "refused":
        return { outcome, quota, error: errorOf(request.command, String(told[4])) };
      case "cooldown":
        return { outcome, quota, retry_after_ms: Number(told[4]) };
      default:
        throw new Error(`an admission has no such outcome: ${outcome}`);
    }
  }

  #admitted(app_id: string, known: ReturnType<KnownSettings["of"]>, told: string): Admission {
    const [head = "", stamp = "", j = "", call, place] = told.split("\n");
    const [limit, count, reset_ms, version, roomVersion] = head.split(" ");
    const settings = this.#settings.told(app_id, known, stamp, j);
    const { app } = settings;
    const session = loadedOf<Session>(version, call, settings);
    const room = loadedOf<Room>(roomVersion, place, settings);
    return { outcome: "admitted", quota: quotaOf(limit, count, reset_ms), app, session, room };
  }

  #asked(request: AdmissionRequest, stamp: string): Promise<unknown> {
    const { connection, keys } = this.#context;
    const { app_id, digest, address, default_rate_limit, held, session_uuid, room_id, ended, command } = request;
    const key = keys.app(app_id);
    const given = `${default_rate_limit} ${held ? 1 : 0} ${ended ? 1 : 0} ${stamp}`;
    const call = session_uuid ?? "";
    const room = room_id ?? "";
    const args = [digest, address, given, call, room];
    if (command !== null) {
      const { operation_id, timeout_ms, cooldown, barred, command_uid, uid_given, fingerprint, guards } = command;
      const window = cooldown === null ? "0 -" : `${cooldown.ms} ${cooldown.group}`;
      args.push(`${operation_id} ${timeout_ms} ${window} ${barred ?? "-"}`, operationOf(command), guardsOf(guards));
      if (uid_given) args.push(command_uid, fingerprint);
    }
    return connection.run(admit, key, ...args);
  }
}

function quotaOf(limit: unknown, count: unknown, reset_ms: unknown): Quota {
  const [most, counted] = [Number(limit), Number(count)];
  const remaining = Math.max(0, most - counted);
  return { limit: most, remaining, reset_ms: Number(reset_ms), exceeded: counted > most };
}

/** The refusal among those that the request could get. */
function errorOf(command: CommandAdmission | null, refusal: string): ErrorCode {
  const possible = [command?.barred ?? null, ...(command?.guards ?? []).map(({ error }) => error)];
  const error = possible.find((each) => each === refusal);
  if (error === undefined || error === null) throw new Error(`no such refusal was asked for: ${refusal}`);
  return error;
}
