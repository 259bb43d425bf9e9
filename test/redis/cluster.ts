/** Three masters that share the slots, and a master with its replica under a sentinel. */
import { RedisServer } from "./server";

const SLOTS = 16_384;
const MASTERS = 3;

/**
 * Polls: a Redis tells nobody of what it has found out about others. A question that fails is asked again: a sentinel cuts the
 * connections of those whose part it changes.
 * @throws after 30 s, with what went wrong last
 */
async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 30_000; ; ) {
    const [answer] = await Promise.allSettled([holds()]);
    if (answer.status === "fulfilled" && answer.value) return;
    if (Date.now() > deadline) throw new Error(`it never happened: ${what}`, { cause: answer });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export class RedisCluster {
  private constructor(readonly masters: readonly RedisServer[]) {}

  /** Resolves when each of them answers for its share. */
  static async start(): Promise<RedisCluster> {
    const lines = ["cluster-node-timeout 2000"];
    const masters: RedisServer[] = [];
    const cluster = new RedisCluster(masters);
    try {
      for (let i = 0; i < MASTERS; i++) masters.push(await RedisServer.start({ cluster: true, lines }));
      await cluster.#join();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  get url(): string {
    return `redis+cluster://${this.masters.map(({ port }) => `127.0.0.1:${port}`).join(",")}`;
  }

  async stop(): Promise<void> {
    for (const master of this.masters) await master.stop();
  }

  async #join(): Promise<void> {
    const [first] = this.masters;
    for (const [i, master] of this.masters.entries()) {
      const [from, to] = [i, i + 1].map((part) => Math.round((part * SLOTS) / MASTERS));
      await master.command("CLUSTER", "SET-CONFIG-EPOCH", i + 1);
      await master.command("CLUSTER", "ADDSLOTSRANGE", Number(from), Number(to) - 1);
      // Not the ten thousand above: the bus has a port of its own.
      const [, bus] = Object(await master.command("CONFIG", "GET", "cluster-port"));
      if (master !== first) await first?.command("CLUSTER", "MEET", "127.0.0.1", master.port, String(bus));
    }
    for (const master of this.masters) {
      await until("the cluster is whole", async () => {
        const info = String(await master.command("CLUSTER", "INFO"));
        return info.includes("cluster_state:ok") && info.includes(`cluster_size:${MASTERS}`);
      });
    }
  }
}

export class RedisFailover {
  private constructor(
    readonly master: RedisServer,
    readonly replica: RedisServer,
    readonly sentinel: RedisServer,
  ) {}

  /** Resolves when the replica has what the master has, and the sentinel knows of both. */
  static async start(): Promise<RedisFailover> {
    const servers: RedisServer[] = [];
    try {
      const master = await RedisServer.start();
      servers.push(master);
      const replica = await RedisServer.start({ replicaof: master.port });
      servers.push(replica);
      await until("the replica follows", async () => {
        return String(await replica.command("INFO", "replication")).includes("master_link_status:up");
      });
      const lines = [
        `sentinel monitor voicegate 127.0.0.1 ${master.port} 1`,
        "sentinel down-after-milliseconds voicegate 500",
        "sentinel failover-timeout voicegate 3000",
      ];
      const sentinel = await RedisServer.start({ sentinel: true, lines });
      servers.push(sentinel);
      await until("the sentinel knows the replica", async () => {
        const known = String(await sentinel.command("SENTINEL", "REPLICAS", "voicegate"));
        return known.includes(`port,${replica.port},`) && known.includes("master-link-status,ok");
      });
      return new RedisFailover(master, replica, sentinel);
    } catch (error) {
      for (const server of servers) await server.stop();
      throw error;
    }
  }

  get url(): string {
    return `redis+sentinel://127.0.0.1:${this.sentinel.port}/voicegate`;
  }

  /** Resolves when the replica has all that the master has by now. */
  async caughtUp(): Promise<void> {
    await this.master.command("SET", "mark", "set");
    if ((await this.master.command("WAIT", 1, 10_000)) !== 1) throw new Error("the replica does not follow");
  }

  /**
   * Lets the two change their places; resolves when the replica is the master. The other one is told that it is a replica only
   * many seconds later: what is written to it until then is lost.
   */
  async change(): Promise<void> {
    await this.sentinel.command("SENTINEL", "FAILOVER", "voicegate");
    await this.#changed();
  }

  /** Kills the master; resolves when the replica has taken its place. */
  async fail(): Promise<void> {
    await this.master.kill();
    await this.#changed();
  }

  #changed(): Promise<void> {
    return until("the replica is the master", async () => {
      return String(await this.replica.command("INFO", "replication")).includes("role:master");
    });
  }

  async stop(): Promise<void> {
    for (const server of [this.sentinel, this.replica, this.master]) await server.stop();
  }
}
