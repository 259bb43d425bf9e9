/** The stores that a gateway is measured with. */
import { Redis } from "./redis";

export interface UnderStore {
  readonly name: "memory" | "Redis";
  /** What a gateway is told to use it; a store of its own for each. */
  env(): Readonly<Record<string, string>>;
  /** Microseconds of CPU of the store's own process so far. */
  cpu(): Promise<number>;
}

const memory: UnderStore = { name: "memory", env: () => ({}), cpu: async () => 0 };

/** With each in turn; its Redis is there as long as that takes. */
export async function withEach<T>(measure: (store: UnderStore) => Promise<T>): Promise<T[]> {
  const first = await measure(memory);
  const redis = await Redis.start();
  try {
    return [first, await measure({ name: "Redis", env: () => redis.env(), cpu: () => redis.cpu() })];
  } finally {
    await redis.stop();
  }
}
