/** Requests to a gateway that may be killed before it answers. */
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { codeOf } from "./code";
import type { Instance } from "./instance";

export const adminKey = "chaos-admin-key-0123456789";
export const apiKey = "chaos-api-key-0123456789";
/** Longer than any answer takes, of a gateway that runs. */
const patienceMs = 20_000;

/** Who asks: an app by its id, or the administrator. */
export type Asker = { readonly app: string } | "admin";

/** A request that is under way. */
export interface Question {
  /** What is asked for, in the words in which it is counted. */
  readonly what: string;
  /** False when its connection broke before all of the answer was here. */
  readonly answered: Promise<boolean>;
}

export interface Answered {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

function headersOf(asker: Asker): Readonly<Record<string, string>> {
  return asker === "admin" ? { "X-Admin-API-Key": adminKey } : { "X-App-ID": asker.app, "X-API-Key": apiKey };
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  const body: unknown = text === "" ? {} : JSON.parse(text);
  if (typeof body !== "object" || body === null) throw new TypeError(`no object: ${text}`);
  return { ...body };
}

/**
 * @param what is asked for, in the words in which it is counted while it is under way
 * @returns null: the connection broke before the answer was here. Whether it was done is not known
 * @throws when it has not answered for far too long
 */
export async function ask(
  instance: Instance,
  asker: Asker,
  what: string,
  method: string,
  route: string,
  body?: object,
): Promise<Answered | null> {
  const answer = exchange(instance, asker, method, route, body);
  const question: Question = {
    what,
    answered: answer.then(
      (answered) => answered !== null,
      () => false,
    ),
  };
  instance.asked.add(question);
  try {
    return await answer;
  } finally {
    instance.asked.delete(question);
  }
}

async function exchange(
  instance: Instance,
  asker: Asker,
  method: string,
  route: string,
  body?: object,
): Promise<Answered | null> {
  const late = AbortSignal.timeout(patienceMs);
  try {
    const sent = request(`${instance.url}${route}`, {
      method,
      agent: instance.agent,
      signal: late,
      headers: { ...headersOf(asker), ...(body && { "Content-Type": "application/json" }) },
    });
    sent.end(body && JSON.stringify(body));
    const [response]: IncomingMessage[] = await once(sent, "response");
    if (!response) return null;
    const text = Buffer.concat(await response.toArray()).toString("utf8");
    return { status: response.statusCode ?? 0, body: parsed(text) };
  } catch (error) {
    if (late.aborted) throw new Error(`${instance.name} has not answered ${method} ${route}`);
    if (codeOf(error) !== null) return null;
    throw error;
  }
}
