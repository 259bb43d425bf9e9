/** What a fault remembers of the requests that it has seen: who may ask, which commands were taken, and when. */
import { randomUUID } from "node:crypto";
import { operations } from "../../generated/operations";
import {
  type Field,
  field,
  type HttpAnswer,
  type HttpRequest,
  type Json,
  jsonOf,
  withField,
  withJson,
} from "./message";
import { operationOf, subjectOf } from "./strokes";

/** Windows of the rate groups, in ms. */
export const groupMs: Readonly<Record<string, number>> = Object.fromEntries(
  Object.values(operations).flatMap(({ command }) =>
    command?.cooldown ? [[command.cooldown.group, command.cooldown.ms]] : [],
  ),
);

export interface Policy {
  readonly group: string | null;
  readonly command: string | null;
  readonly auth: string;
}

/** What the document says about the operation of a request; null: there is none. */
export function policyOf(request: HttpRequest): Policy | null {
  const id = operationOf(request);
  const found = Object.entries(operations).find(([each]) => each === id)?.[1];
  if (!found) return null;
  return { group: found.command?.cooldown?.group ?? null, command: found.command?.name ?? null, auth: found.auth };
}

/** The command_uid of a request; undefined when it brings none. */
export function uidOf(request: HttpRequest): string | undefined {
  const uid = jsonOf(request)?.command_uid;
  return typeof uid === "string" ? uid : undefined;
}

/** The same command under a uid that nobody has used. */
export function anew(request: HttpRequest): HttpRequest {
  return withField(
    withJson(request, { ...jsonOf(request), command_uid: randomUUID() }),
    "Content-Type",
    "application/json",
  );
}

/** The same request with another body. */
export function having(request: HttpRequest, body: Json): HttpRequest {
  return withField(withJson(request, body), "Content-Type", "application/json");
}

/** Credentials that were good once: of an admin, and of each app. */
export class Credentials {
  #admin: Field | null = null;
  readonly #apps = new Map<string, Field[]>();

  /** Learns from what was let in. */
  see(request: HttpRequest, answer: HttpAnswer): void {
    if (field(answer, "RateLimit") === undefined || answer.status === 401) return;
    const admin = field(request, "X-Admin-API-Key");
    const app_id = field(request, "X-App-ID");
    const key = field(request, "X-API-Key");
    const auth = policyOf(request)?.auth;
    if (auth === "admin" && admin !== undefined) this.#admin = ["X-Admin-API-Key", admin];
    if (auth === "app" && app_id !== undefined && key !== undefined)
      this.#apps.set(app_id, [
        ["X-App-ID", app_id],
        ["X-API-Key", key],
      ]);
  }

  /** The same request by somebody who may; null: nobody is known. */
  lent(request: HttpRequest, app_id?: string): HttpRequest | null {
    const auth = policyOf(request)?.auth;
    const named = app_id ?? field(request, "X-App-ID") ?? "";
    const app = this.#apps.get(named) ?? [...this.#apps.values()].at(-1);
    const own = auth === "admin" ? this.#admin && [this.#admin] : app;
    return own ? own.reduce((given, [name, value]) => withField(given, name, value), request) : null;
  }
}

/** When commands were taken, by subject and group. */
export class Taken {
  readonly #at = new Map<string, number>();

  /** @returns how long ago in ms; infinite when never */
  since(request: HttpRequest, group: string): number {
    return performance.now() - (this.#at.get(`${group} ${subjectOf(request)}`) ?? Number.NEGATIVE_INFINITY);
  }

  mark(request: HttpRequest, group: string): void {
    this.#at.set(`${group} ${subjectOf(request)}`, performance.now());
  }
}

/** Was it taken just now, and not only answered again? */
export const isTaken = (answer: HttpAnswer) =>
  answer.status === 202 && field(answer, "Idempotent-Replayed") === undefined;
