import type { ActiveApps } from "./active";
import type { RedisConnection } from "./connection";
import type { AppForms } from "./forms";
import type { Keys } from "./keys";
import type { Owners } from "./owners";
import type { Secrets } from "./secrets";

/** What the parts of the Redis store have in common. */
export interface Context {
  readonly connection: RedisConnection;
  readonly keys: Keys;
  readonly owners: Owners;
  readonly active: ActiveApps;
  readonly forms: AppForms;
  readonly secrets: Secrets;
  /** How long events are kept for those who missed them. */
  readonly retention_ms: number;
}
