/** A Redis of the benchmark's own, with the persistence that the README asks for, and what it has used of a processor. */
import { RedisServer } from "../../test/redis/server";

const secretsKey = "bench-secrets-key-0123456789-0123456789";

export class Redis {
  #databases = 0;

  private constructor(private readonly server: RedisServer) {}

  static async start(): Promise<Redis> {
    return new Redis(await RedisServer.start({ appendfsync: "everysec" }));
  }

  /** What a program is told to use a database of it that nobody else of this run uses. */
  env(): Readonly<Record<"REDIS_URL" | "SECRETS_KEY", string>> {
    this.#databases += 1;
    return { REDIS_URL: `${this.server.url}/${this.#databases}`, SECRETS_KEY: secretsKey };
  }

  /** Microseconds of CPU so far. */
  async cpu(): Promise<number> {
    const text = String(await this.server.command("INFO", "cpu"));
    const seconds = (name: string) => Number(new RegExp(`^${name}:(\\S+)`, "m").exec(text)?.[1]);
    return (seconds("used_cpu_sys") + seconds("used_cpu_user")) * 1e6;
  }

  /** Of what it keeps: keys of this database, bytes of all. */
  async size(url: string): Promise<{ readonly keys: number; readonly bytes: number }> {
    const database = new URL(url).pathname.slice(1);
    const keyspace = String(await this.server.command("INFO", "keyspace"));
    const memory = String(await this.server.command("INFO", "memory"));
    const keys = new RegExp(`^db${database}:keys=(\\d+)`, "m").exec(keyspace)?.[1] ?? 0;
    return { keys: Number(keys), bytes: Number(/^used_memory:(\d+)/m.exec(memory)?.[1]) };
  }

  stop(): Promise<void> {
    return this.server.stop();
  }
}
