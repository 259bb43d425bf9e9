import { Cluster, Command, type Redis, ReplyError } from "ioredis";
import type { Log } from "../../log";
import { Call, Calls, LateError } from "./calls";
import { clientOf } from "./client";
import { AwayError, Presence } from "./presence";
import type { Compiled, Script } from "./script";
import { type RedisPlace, redisPlace, shownPlace } from "./url";

export type Argument = string | number | Buffer;

/** One call of a script on the slot of `key`. */
export interface ScriptCall {
  readonly script: Script;
  readonly key: string;
  readonly args: readonly Argument[];
}

/** A Redis in whatever form. A promise rejects when it cannot be asked, or when a script is wrong. */
export interface RedisConnection {
  /** One call of a script on the slot of `key`. When it rejects, it may have run all the same. */
  run(script: Script, key: string, ...args: Argument[]): Promise<unknown>;
  /** One plain command. */
  command(name: string, ...args: Argument[]): Promise<unknown>;
  /** Several at once, on any slots; rejects when any fails. */
  batch(commands: readonly (readonly [name: string, ...args: Argument[]])[]): Promise<readonly unknown[]>;
  /** Several at once, on any slots; rejects when any fails. */
  runBatch(calls: readonly ScriptCall[]): Promise<readonly unknown[]>;
  close(): Promise<void>;
}

export interface ConnectionOptions {
  /** See `redisPlace`. */
  readonly url: string;
  /** A Lua expression: microseconds since the epoch. */
  readonly clock: string;
  /** How long an answer is waited for: then it is away, until a probe is answered. */
  readonly wait_ms: number;
  readonly log: Log;
}

/** How long the first connection is waited for: before it, nobody knows whether it is away. */
const OPEN_MS = 1000;
/** Before a client that has given up is told to connect again. */
const BEGIN_MS = 100;
/** How many of a batch are under way at once: others come in between, and each wait is for these alone. */
const AT_ONCE = 100;
/** Answers of a Redis that is there and cannot be used: it is loading, a replica, full, without its disk, alone, not ours. */
const unable =
  /^(?:LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|MISCONF|NOREPLICAS|OOM|BUSY|UNKILLABLE|TRYAGAIN|MOVED|ASK|NOAUTH|WRONGPASS|NOPERM)\b/;
/** Only where it could write, a script runs that does not say that it never writes. */
const PROBE = "#!lua\nreturn 1";

export class Connection implements RedisConnection {
  readonly #clock: string;
  readonly #log: Log;
  readonly #place: RedisPlace;
  readonly #client: Redis | Cluster;
  readonly #calls: Calls;
  readonly #compiled = new Map<Script, Compiled>();
  /** By master of a Cluster; otherwise there is one. */
  readonly #presences = new Map<string, Presence>();
  /** The first connection, while it is being made. */
  #opening: Promise<void> | null;
  /** What went wrong last: refused calls do not say why there is no connection. */
  #trouble: string | null = null;
  /** Has something been sent in this turn of the event loop? */
  #is_sending = false;
  /** Gathers what is sent further in this turn. */
  #corked: Redis["stream"] | null = null;
  #closed = false;

  constructor({ url, clock, wait_ms, log }: ConnectionOptions) {
    this.#calls = new Calls(wait_ms);
    this.#clock = clock;
    this.#log = log;
    this.#place = redisPlace(url);
    this.#client = clientOf(this.#place);
    // Not the error itself: it may have a command with its arguments, such as a password.
    this.#client.on("error", (error: Error) => {
      this.#trouble = error.message;
    });
    this.#client.on("ready", () => {
      this.#trouble = null;
    });
    this.#client.on("end", this.#begin);
    this.#opening = this.#open();
  }

  run(script: Script, key: string, ...args: Argument[]): Promise<unknown> {
    const { sha, text } = this.#compile(script);
    return this.#send("evalsha", [sha, "1", key, ...args], key, text);
  }

  command(name: string, ...args: Argument[]): Promise<unknown> {
    return this.#send(name, args, String(args[0]), null);
  }

  batch(commands: readonly (readonly [name: string, ...args: Argument[]])[]): Promise<readonly unknown[]> {
    return inTurns(commands, ([name, ...args]) => this.command(name, ...args));
  }

  runBatch(calls: readonly ScriptCall[]): Promise<readonly unknown[]> {
    return inTurns(calls, ({ script, key, args }) => this.run(script, key, ...args));
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const presence of this.#presences.values()) presence.close();
    this.#client.disconnect();
    this.#calls.clear(new AwayError("the store was closed"));
  }

  /** @param text of a script that Redis may not know yet */
  async #send(name: string, args: Argument[], key: string, text: string | null): Promise<unknown> {
    if (this.#opening !== null) await this.#opening;
    if (this.#closed) throw new AwayError("the store was closed");
    const node = this.#presences.size === 0 ? null : this.#nodeOf(key);
    const away = node === null ? null : (this.#presences.get(node)?.away ?? null);
    if (away !== null) throw new AwayError(away);
    try {
      return await this.#write(new Call(name, args));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (text !== null && message.startsWith("NOSCRIPT"))
        return this.#send("eval", [text, ...args.slice(1)], key, null);
      // Never the error itself: that of a reply has the command with all its arguments, and who catches this may log it.
      if (error instanceof ReplyError && !unable.test(message)) throw new Error(message);
      throw this.#lost(key, this.#reasonOf(error));
    }
  }

  /** Why nothing was answered, without what was asked. */
  #reasonOf(error: unknown): string {
    if (error instanceof Error && (error instanceof LateError || error instanceof ReplyError)) return error.message;
    return this.#trouble ?? "there is no connection";
  }

  #write(call: Call): Promise<unknown> {
    if (!(this.#client instanceof Cluster)) this.#gather(this.#client.stream);
    this.#calls.add(call);
    this.#client.sendCommand(call);
    return call.promise;
  }

  /**
   * The first call of a turn of the event loop goes out at once; those that follow, which there are when many are served at a
   * time, go out together at its end: one system call instead of one for each.
   */
  #gather(stream: Redis["stream"] | undefined): void {
    if (!this.#is_sending) {
      this.#is_sending = true;
      setImmediate(this.#endTurn);
    } else if (this.#corked === null && stream !== undefined) {
      this.#corked = stream;
      stream.cork();
    }
  }

  readonly #endTurn = (): void => {
    this.#is_sending = false;
    this.#corked?.uncork();
    this.#corked = null;
  };

  /** The error for who has asked. */
  #lost(key: string, reason: string): Error {
    const node = this.#nodeOf(key);
    let presence = this.#presences.get(node);
    if (presence === undefined) {
      presence = new Presence({
        probe: async () => {
          try {
            await this.#write(new Call("eval", [PROBE, "1", key]));
          } catch (error) {
            throw new Error(this.#reasonOf(error));
          }
        },
        renew: () => this.#renew(node),
        log: this.#log,
        redis: node === "" ? shownPlace(this.#place) : node,
      });
      this.#presences.set(node, presence);
    }
    presence.lost(reason);
    return new AwayError(reason);
  }

  /** The master of a Cluster that has this key, as far as it is known; "" for all else. */
  #nodeOf(key: string): string {
    if (!(this.#client instanceof Cluster)) return "";
    const slot = new Command("exists", [key]).getSlot();
    return this.#client.slots[slot]?.[0] ?? "";
  }

  #renew(node: string): void {
    if (!(this.#client instanceof Cluster)) {
      const { status } = this.#client;
      if (status === "ready" || status === "connect") this.#client.disconnect(true);
      return;
    }
    for (const each of this.#client.nodes("all")) {
      if (`${each.options.host}:${each.options.port}` === node) each.disconnect();
    }
    this.#client.refreshSlotsCache();
  }

  /** The client gives up where a connection is lost while it is being made. */
  readonly #begin = (): void => {
    if (this.#closed) return;
    setTimeout(() => {
      if (this.#closed || this.#client.status !== "end") return;
      // Told by `error` as well.
      this.#client.connect().catch((error: Error) => {
        this.#trouble = error.message;
      });
    }, BEGIN_MS);
  };

  #open(): Promise<void> {
    return new Promise((resolve) => {
      const opened = (): void => {
        clearTimeout(timer);
        this.#opening = null;
        resolve();
      };
      const timer = setTimeout(opened, OPEN_MS);
      this.#client.once("ready", opened);
    });
  }

  #compile(script: Script): Compiled {
    const known = this.#compiled.get(script);
    if (known !== undefined) return known;
    const compiled = script.compile(this.#clock);
    this.#compiled.set(script, compiled);
    return compiled;
  }
}

async function inTurns<T>(all: readonly T[], ask: (each: T) => Promise<unknown>): Promise<readonly unknown[]> {
  if (all.length <= AT_ONCE) return Promise.all(all.map(ask));
  const answers: unknown[] = [];
  for (let i = 0; i < all.length; i += AT_ONCE)
    answers.push(...(await Promise.all(all.slice(i, i + AT_ONCE).map(ask))));
  return answers;
}
