/** How the text of a variable of the environment becomes its value. */
import { accessSync, constants, statSync } from "node:fs";
import { isIP } from "node:net";
import path from "node:path";
import { type Network, parseNetwork } from "./outbound/addresses";
import { redisPlace } from "./store/redis/url";

/** Answers the value, or throws a RangeError that says what would be right. */
export type Parse<T> = (text: string) => T;

function wrong(expected: string): never {
  throw new RangeError(expected);
}

export const integer =
  (min: number, max: number): Parse<number> =>
  (text) => {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : wrong(`must be an integer from ${min} to ${max}`);
  };
export const boolean: Parse<boolean> = (text) =>
  text === "true" ? true : text === "false" ? false : wrong("must be true or false");
export const matching =
  (pattern: RegExp, expected: string): Parse<string> =>
  (text) =>
    pattern.test(text) ? text : wrong(expected);
export const address: Parse<string> = (text) => (isIP(text) !== 0 ? text : wrong("must be an IP address"));
export const oneOf =
  <T extends string>(values: readonly T[]): Parse<T> =>
  (text) =>
    values.find((value) => value === text) ?? wrong(`must be one of ${values.join(", ")}`);

export function networks(text: string): readonly Network[] {
  return text
    .split(",")
    .map((entry) => entry.trim())
    .map(
      (entry) =>
        parseNetwork(entry) ?? wrong(`must be addresses or networks separated by commas, "${entry}" is neither`),
    );
}

export function users(text: string): ReadonlyMap<string, string> {
  const entries = text.split(",").map((entry) => /^([A-Za-z0-9._+-]{1,64}):([^,:\s]{1,128})$/.exec(entry.trim()));
  const pairs = entries.map((match) =>
    match?.[1] && match[2] ? ([match[1], match[2]] as const) : wrong("must be name:password pairs separated by commas"),
  );
  return new Map(pairs);
}

/** Where the event socket of a FreeSWITCH is. */
export interface FreeswitchNode {
  readonly node: string;
  readonly host: string;
  readonly port: number;
  readonly password: string;
}

/** Where the ARI of an Asterisk is: `url` is its root, without the `/ari`. */
export interface AsteriskNode {
  readonly node: string;
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

/** `name=host:port:password,…`, an IPv6 address in brackets; parts percent-encoded. */
export function freeswitchNodes(text: string): readonly FreeswitchNode[] {
  return nodes(text, "name=host:port:password", (place) => {
    const match = /^(\[[0-9A-Fa-f:.]+\]|[^:]+):(\d{1,5}):([^:]+)$/.exec(place);
    const [host, port, password] = [decoded(match?.[1]), Number(match?.[2]), decoded(match?.[3])];
    if (!host || !password || !(port > 0 && port < 65_536)) return null;
    return { host: host.replace(/^\[|\]$/g, ""), port, password };
  });
}

/** `name=url|user|password,…`; parts percent-encoded. */
export function asteriskNodes(text: string): readonly AsteriskNode[] {
  return nodes(text, "name=url|user|password", (place) => {
    const [url, user, password, ...more] = place.split("|").map(decoded);
    if (!url || !user || !password || more.length > 0 || !URL.canParse(url)) return null;
    const { protocol, origin, pathname, username, password: other, search, hash } = new URL(url);
    if (!/^https?:$/.test(protocol) || username || other || search || hash) return null;
    return { url: origin + pathname.replace(/\/+$/, ""), user, password };
  });
}

function nodes<T>(text: string, form: string, place: (text: string) => T | null): (T & { readonly node: string })[] {
  const all = text.split(",").map((entry) => {
    const [, node, rest] = /^([A-Za-z0-9]{1,16})=(.+)$/.exec(entry.trim()) ?? [];
    const found = rest === undefined ? null : place(rest);
    // What is wrong may be a password: it is not shown.
    if (!node || !found || node === "room")
      wrong(`must be ${form}, separated by commas, the name 1 to 16 letters and digits other than "room"`);
    return { node, ...found };
  });
  if (new Set(all.map(({ node }) => node)).size < all.length) wrong("names a node twice");
  return all;
}

/** "" for what is not encoded as it should be. */
function decoded(text: string | undefined): string {
  try {
    return decodeURIComponent(text ?? "");
  } catch {
    return "";
  }
}

/** Without the slash at its end: a path is put behind it. */
export const httpUrl =
  (credentials: "with credentials" | "without credentials"): Parse<string> =>
  (text) => {
    const url = URL.canParse(text) ? new URL(text) : null;
    const plain = url !== null && /^https?:$/.test(url.protocol) && !/[?#]/.test(text);
    if (!plain) wrong("must be an HTTP or HTTPS URL without a query");
    if (credentials === "without credentials" && (url.username || url.password))
      wrong("must be a URL without a password");
    return url.href.replace(/\/+$/, "");
  };

/** One Redis, the Sentinels of one with the name of its master, or nodes of a Cluster; `rediss` in place of `redis` is by TLS. */
export function redisUrl(text: string): string {
  try {
    redisPlace(text);
    return text;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const forms = "redis://host:port/db, redis+sentinel://host:port,…/master/db or redis+cluster://host:port,…";
    return wrong(`must be ${forms}: ${error.message}`);
  }
}

export function origins(text: string): readonly string[] {
  return text
    .split(",")
    .map((entry) => entry.trim())
    .map((entry) => {
      const origin = URL.canParse(entry) && /^https?:/.test(entry) ? new URL(entry).origin : null;
      return origin === entry ? entry : wrong("must be origins (https://example.com) separated by commas");
    });
}

/** An absolute path, whatever the process does to its working directory later. */
export function writableFolder(text: string): string {
  return isWritableFolder(text) ? path.resolve(text) : wrong("must be a folder that exists and can be written to");
}

function isWritableFolder(text: string): boolean {
  try {
    accessSync(text, constants.R_OK | constants.W_OK | constants.X_OK);
    return statSync(text).isDirectory();
  } catch (error) {
    // The system's word for why not.
    if (typeof error === "object" && error !== null && "code" in error) return false;
    throw error;
  }
}

export const port = integer(0, 65535);
export const printable = (min: number) =>
  matching(new RegExp(`^[\\x21-\\x7e]{${min},256}$`), `must be ${min} to 256 printable characters without spaces`);
