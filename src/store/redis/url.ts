/** Where a Redis is, read from a URL. */

export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

interface Login {
  /** Null: the default user. */
  readonly username: string | null;
  readonly password: string | null;
  readonly tls: boolean;
}

export type RedisPlace = Login &
  (
    | { readonly kind: "single"; readonly node: RedisNode; readonly db: number }
    /** Sentinels, and the name that they know the master by. */
    | { readonly kind: "sentinel"; readonly nodes: readonly RedisNode[]; readonly master: string; readonly db: number }
    /** Some of its nodes: they tell of the others. */
    | { readonly kind: "cluster"; readonly nodes: readonly RedisNode[] }
  );

const PORT = 6379;
const SENTINEL_PORT = 26_379;

/**
 * - `redis://[user:password@]host[:port][/database]`
 * - `redis+sentinel://[user:password@]host[:port],…/master[/database]`: the login is that of Redis and of the Sentinels
 * - `redis+cluster://[user:password@]host[:port],…`
 *
 * With `rediss` instead of `redis` all connections are TLS. User and password are percent-encoded, an IPv6 address is in brackets.
 *
 * @throws RangeError that never repeats the text: it may hold a password
 */
export function redisPlace(text: string): RedisPlace {
  const found = /^redis(s?)(?:\+(sentinel|cluster))?:\/\/(?:([^@/?#]*)@)?([^@/?#]+)(?:\/([^?#]*))?$/.exec(text);
  if (found === null) wrong("it has not the form of one");
  const [, secure, kind, login, hosts = "", path = ""] = found;
  const shared = { ...loginOf(login), tls: secure === "s" };
  const nodes = hosts.split(",").map((host) => nodeOf(host, kind === "sentinel" ? SENTINEL_PORT : PORT));
  if (kind === "cluster") {
    if (path !== "") wrong("a Cluster has no databases");
    return { ...shared, kind, nodes };
  }
  if (kind === "sentinel") {
    const [master = "", db = "", ...more] = path.split("/");
    if (master === "" || more.length > 0)
      wrong("it must end with /<name of the master> or /<name of the master>/<database>");
    return { ...shared, kind, nodes, master, db: databaseOf(db) };
  }
  const [node, ...others] = nodes;
  if (node === undefined || others.length > 0) wrong("only that of a Sentinel or a Cluster has several hosts");
  return { ...shared, kind: "single", node, db: databaseOf(path) };
}

/** As it may stand in a log. */
export function shownPlace(place: RedisPlace): string {
  const nodes = place.kind === "single" ? [place.node] : place.nodes;
  const hosts = nodes.map(({ host, port }) => `${host.includes(":") ? `[${host}]` : host}:${port}`).join(",");
  return place.kind === "sentinel" ? `${hosts}/${place.master}` : hosts;
}

function loginOf(text: string | undefined): Pick<Login, "username" | "password"> {
  if (text === undefined || text === "") return { username: null, password: null };
  const colon = text.indexOf(":");
  if (colon < 0) wrong("a user needs a password");
  try {
    const username = decodeURIComponent(text.slice(0, colon));
    const password = decodeURIComponent(text.slice(colon + 1));
    return { username: username === "" ? null : username, password: password === "" ? null : password };
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return wrong("user and password must be percent-encoded");
  }
}

function nodeOf(text: string, defaultPort: number): RedisNode {
  const [, six, name, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const port = digits === undefined ? defaultPort : Number(digits);
  if ((six ?? name) === undefined || port < 1 || port > 65_535) wrong("a host is a name or an address, and a port");
  return { host: six ?? name ?? "", port };
}

function databaseOf(text: string): number {
  if (!/^\d{0,4}$/.test(text)) wrong("a database is a number");
  return Number(text);
}

function wrong(what: string): never {
  throw new RangeError(`the URL of Redis is wrong: ${what}`);
}
