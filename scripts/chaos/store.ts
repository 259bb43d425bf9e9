/** The store as the gateways have it, for whoever looks in when all is over. */
import { createHash } from "node:crypto";
import { createLog } from "../../src/log";
import { RedisStore } from "../../src/store/redis";
import type { Store } from "../../src/store/store";
import { secretsKey } from "./fleet";

export function openStore(url: string): Store {
  return new RedisStore({
    url,
    secretsKey: createHash("sha256").update(secretsKey).digest(),
    log: createLog("silent"),
  });
}
