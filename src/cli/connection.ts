/** To the gateway that a command is about: where it is, who asks, and what is said when it refuses. */
import { type ErrorCode, errors } from "../../generated/operations";
import { type Client, createClient, type Failure } from "../client/index";
import { isLoopback } from "../outbound/addresses";
import { type Given, type Option, type Output, text, WrongUse } from "./command";
import { demo } from "./demo";

export const urlOption = {
  url: { type: "string", env: "VOICEGATE_URL", default: "http://127.0.0.1:8080", value: "url", about: "the gateway" },
} as const satisfies Record<string, Option>;

export const appOptions = {
  ...urlOption,
  "app-id": { type: "string", env: "VOICEGATE_APP_ID", value: "id", about: "the app" },
  "api-key": { type: "string", env: "VOICEGATE_API_KEY", value: "key", about: "its key" },
} as const satisfies Record<string, Option>;

export const adminOptions = {
  ...urlOption,
  "admin-key": { type: "string", env: "ADMIN_API_KEY", value: "key", about: "key of the admin API" },
} as const satisfies Record<string, Option>;

/** Whose credentials a command needs. */
export type Need = "app" | "admin";

export interface Connection {
  readonly url: string;
  readonly client: Client;
}

/**
 * A client with the credentials that were given. Where none of a kind were, and the gateway is on this machine, those of
 * the demo app are taken, which open nothing else; that is said.
 * @throws WrongUse when the URL is none, or what is needed was not given
 */
export function connect(given: Given, ...needs: readonly Need[]): Connection {
  const url = gatewayUrl(given);
  const own = {
    appId: text(given, "app-id"),
    apiKey: text(given, "api-key"),
    adminApiKey: text(given, "admin-key"),
  };
  const local = isHere(url);
  const demonstrates = (missing: boolean, what: string) => {
    if (!missing || !local) return false;
    given.output.progress(`No ${what} was given: the demo's is used, since ${url} is on this machine.`);
    return true;
  };
  const forApp = needs.includes("app");
  const demoApp = forApp && demonstrates(own.appId === undefined && own.apiKey === undefined, "app");
  const appId = demoApp ? demo.app : own.appId;
  const apiKey = demoApp ? demo.key : own.apiKey;
  const demoAdmin = needs.includes("admin") && demonstrates(own.adminApiKey === undefined, "admin key");
  const adminApiKey = demoAdmin ? demo.admin : own.adminApiKey;
  if (forApp && (appId === undefined || apiKey === undefined))
    throw new WrongUse("which app? --app-id and --api-key, or VOICEGATE_APP_ID and VOICEGATE_API_KEY");
  if (needs.includes("admin") && adminApiKey === undefined)
    throw new WrongUse("the admin API needs --admin-key, or ADMIN_API_KEY");
  const admin = adminApiKey === undefined ? {} : { adminApiKey };
  const baseUrl = url;
  const client =
    forApp && appId !== undefined && apiKey !== undefined
      ? createClient({ baseUrl, appId, apiKey, ...admin })
      : createClient({ baseUrl, adminApiKey: adminApiKey ?? "" });
  return { url, client };
}

/** @throws WrongUse when it is no URL of a gateway */
export function gatewayUrl(given: Given): string {
  const url = text(given, "url") ?? "";
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new WrongUse(`${JSON.stringify(url)} is no URL of a gateway: write http://host:port or https://host`);
  return url.replace(/\/+$/, "");
}

/** Is the host a loopback address, or the name of one? */
export function isHere(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === "localhost" || isLoopback(hostname.replace(/^\[(.*)\]$/, "$1"));
}

/** A refusal of the gateway, or none: the error of an outcome of the client. */
type Refusal = Pick<Failure, "status" | "code" | "message" | "requestId"> & { readonly detail?: unknown };

/** Says why the gateway refused, and what to do. @returns the exit code of a failure */
export function refused(refusal: Refusal, url: string, output: Output): 1 {
  const { status, code, message, detail, requestId } = refusal;
  const fix = adviceOn(code, url);
  if (output.json) {
    const about = { code, message, status, detail, request_id: requestId, fix };
    process.stderr.write(`${JSON.stringify({ error: about })}\n`);
    return 1;
  }
  output.error(status === null ? `${url}: ${message}` : `${message} (${status} ${code})`);
  if (detail !== undefined && detail !== null) output.error(`  ${JSON.stringify(detail)}`);
  if (fix !== null) output.error(`  ${fix}`);
  return 1;
}

function adviceOn(code: string, url: string): string | null {
  if (isCode(code)) return errors[code].fix;
  if (code !== "unreachable") return null;
  return isHere(url) ? 'Is the gateway running? "voicegate dev" starts one.' : 'Try "voicegate doctor --url" with it.';
}

function isCode(code: string): code is ErrorCode {
  return Object.hasOwn(errors, code);
}
