/** A real `redis-server` of a test's own: on a free port, in a folder of its own, killed and started again at will. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { Redis } from "ioredis";

export interface RedisServerOptions {
  /** Every write goes into the append only file, synchronised as told; not given: nothing survives a kill. */
  readonly appendfsync?: "always" | "everysec" | "no";
  /** Port of the server that it copies. */
  readonly replicaof?: number;
  readonly cluster?: boolean;
  /** It is no store but a sentinel: `lines` say of what. */
  readonly sentinel?: boolean;
  /** Further lines of its configuration. */
  readonly lines?: readonly string[];
}

export class RedisServer {
  readonly port: number;
  /** Of its append only file: what it was ever told to keep. */
  readonly folder: string;
  readonly #options: RedisServerOptions;
  /** Removes the folder when this process is gone before it could: its input ends then, however it died. */
  readonly #heir: ChildProcess;
  #server: ChildProcess | null = null;
  #client: Redis | null = null;

  private constructor(port: number, folder: string, options: RedisServerOptions) {
    this.port = port;
    this.folder = folder;
    this.#options = options;
    // The server dies a moment after the input ends, and may write until then.
    const inherit = 'cat >/dev/null; sleep 1; rm -rf -- "$1"';
    this.#heir = spawn("sh", ["-c", inherit, "sh", folder], { stdio: ["pipe", "ignore", "ignore"], detached: true });
    this.#heir.unref();
  }

  /** Resolves when it answers. */
  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    for (let tries = 1; ; tries++) {
      const folder = await mkdtemp(path.join(tmpdir(), "voicegate-redis-"));
      const server = new RedisServer(await freePort(), folder, options);
      try {
        await writeFile(path.join(folder, "redis.conf"), await server.#configuration());
        await server.#launch();
        return server;
      } catch (error) {
        await server.stop();
        // Somebody took the port between the look at it and its use.
        if (tries === 5 || !/Address already in use/.test(String(error))) throw error;
      }
    }
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    const pid = this.#server?.pid;
    if (pid === undefined) throw new Error("the server does not run");
    return pid;
  }

  /** One command by a connection of the test's own. */
  async command(name: string, ...args: (string | number)[]): Promise<unknown> {
    if (this.#client === null) {
      const client = new Redis(this.port, "127.0.0.1", { lazyConnect: true, retryStrategy: null });
      // Each command is rejected with the same.
      client.on("error", () => undefined);
      client.on("end", () => {
        if (this.#client === client) this.#client = null;
      });
      this.#client = client;
    }
    return this.#client.call(name, ...args);
  }

  /** SIGKILL: resolves when it is gone. What was not yet written is lost. */
  async kill(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#client?.disconnect();
    this.#client = null;
    const gone = once(server, "close");
    server.kill("SIGKILL");
    await gone;
  }

  /** Again on the same port and folder; resolves when it has read what there was. */
  async restart(): Promise<void> {
    await this.kill();
    await this.#launch();
  }

  /** Also of one that was killed: nothing of it is left. */
  async stop(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
    const { pid, exitCode } = this.#heir;
    if (pid === undefined || exitCode !== null) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch (error) {
      // It has ended, and nobody here has heard of that yet.
      if (Object(error).code !== "ESRCH") throw error;
    }
  }

  async #configuration(): Promise<string> {
    const { appendfsync, replicaof, cluster, sentinel, lines = [] } = this.#options;
    const all = [`port ${this.port}`, "bind 127.0.0.1", `dir ${this.folder}`];
    if (sentinel !== true) {
      all.push('save ""', "repl-diskless-sync-delay 0");
      if (appendfsync !== undefined) all.push("appendonly yes", `appendfsync ${appendfsync}`);
      if (replicaof !== undefined) all.push(`replicaof 127.0.0.1 ${replicaof}`);
      // The bus is elsewhere unless told: ten thousand above the port.
      if (cluster === true) all.push("cluster-enabled yes", `cluster-port ${await freePort()}`);
    }
    return `${[...all, ...lines].join("\n")}\n`;
  }

  /** @throws when it ends before it answers, with what it said */
  async #launch(): Promise<void> {
    const config = path.join(this.folder, "redis.conf");
    const sentinel = this.#options.sentinel === true ? ["--sentinel"] : [];
    // It dies with this process, however that dies.
    const args = ["--pdeathsig", "KILL", "redis-server", config, ...sentinel];
    const server = spawn("setpriv", args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#server = server;
    server.on("close", () => {
      if (this.#server === server) this.#server = null;
    });
    await new Promise<void>((resolve, reject) => {
      let said = "";
      const take = (chunk: Buffer) => {
        said = (said + chunk.toString("utf8")).slice(-10_000);
        if (/Ready to accept connections|Sentinel ID is/.test(said)) resolve();
      };
      server.stdout.on("data", take);
      server.stderr.on("data", take);
      server.on("error", reject);
      server.on("close", (code) => reject(new Error(`redis-server ended (${code}):\n${said}`)));
    });
  }
}

/** A port of the loopback address: below those of RTP and those that the system hands out, so that it can be taken again. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 6_000);
    const probe = createServer();
    const free = await new Promise<boolean>((resolve) => {
      probe.once("error", () => resolve(false));
      probe.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => probe.close(resolve));
    return port;
  }
}
