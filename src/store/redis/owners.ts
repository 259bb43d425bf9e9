import type { RedisConnection } from "./connection";
import type { Keys } from "./keys";
import { Script } from "./script";

/** Whose a call or room is. Never changes. */
export interface Owner {
  readonly app_id: string;
  /** Of the app: tells those apart that had this id one after the other. */
  readonly epoch: string;
}

/** A call or room that somebody has begun to make, and nobody has taken out since. */
export interface Claimed extends Owner {
  readonly id: string;
  readonly age_ms: number;
}

/** Remembered owners; the one that was learnt first goes first. */
const REMEMBERED = 50_000;
/** Ids in one call of a script: none keeps Redis busy for long. */
export const AT_ONCE = 500;

// In the slot of the node: own, HASH id → "app_id epoch"; live, ZSET id → ms of its claim.

/** id, owner → who owns it */
const claim = new Script("claim", {
  body: /* lua */ `
local held = call('HGET', A .. 'own', ARGV[1])
if held then return held end
call('HSET', A .. 'own', ARGV[1], ARGV[2])
call('ZADD', A .. 'live', now(), ARGV[1])
return ARGV[2]`,
});

/** ids */
const forget = new Script("forget_owners", {
  body: /* lua */ `
call('HDEL', A .. 'own', unpack(ARGV))
return call('ZREM', A .. 'live', unpack(ARGV))`,
});

/** place before which to read, -1 for the end → place before which to go on, then id, age in ms and owner of each */
const page = new Script("live", {
  body: /* lua */ `
local before = tonumber(ARGV[1])
if before < 0 then before = call('ZCARD', A .. 'live') end
local first = math.max(0, before - ${AT_ONCE})
local answer = {first}
if before == 0 then return answer end
local live = call('ZRANGE', A .. 'live', first, before - 1, 'WITHSCORES')
for i = 1, #live, 2 do
  local owner = call('HGET', A .. 'own', live[i])
  if owner then
    answer[#answer + 1] = live[i]
    answer[#answer + 1] = now() - tonumber(live[i + 1])
    answer[#answer + 1] = owner
  end
end
return answer`,
});

/**
 * Which app and epoch a call or room belongs to: an index beside the apps, in the slot of its node. The entry is written before
 * the call or room is made, and removed before what is left of it is. An entry without data is that of one that is being made,
 * or of one that never will be; data without an entry is about to go.
 */
export class Owners {
  readonly #connection: RedisConnection;
  readonly #keys: Keys;
  readonly #known = new Map<string, Owner>();

  constructor(connection: RedisConnection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /** Without asking. */
  known(id: string): Owner | undefined {
    return this.#known.get(id);
  }

  /** Null: nobody's, or not any more. */
  async find(id: string): Promise<Owner | null> {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const text = await this.#connection.command("HGET", `${this.#keys.nodeOf(id)}own`, id);
    return typeof text === "string" ? this.#remember(id, text) : null;
  }

  /** Before it is made: who owns it from now on, which is another one where it was made before. */
  async claim(id: string, { app_id, epoch }: Owner): Promise<Owner> {
    const text = await this.#connection.run(claim, this.#keys.nodeOf(id), id, `${app_id} ${epoch}`);
    return this.#remember(id, String(text));
  }

  /** It has ended: nobody needs to end it any more, while what is remembered of it stays. */
  async ended(id: string): Promise<void> {
    await this.#connection.command("ZREM", `${this.#keys.nodeOf(id)}live`, id);
  }

  /** Before what is left of these is deleted. */
  async forget(ids: readonly string[]): Promise<void> {
    const calls = [];
    for (const [key, all] of groups(ids, (id) => this.#keys.nodeOf(id))) {
      for (let i = 0; i < all.length; i += AT_ONCE)
        calls.push({ script: forget, key, args: all.slice(i, i + AT_ONCE) });
    }
    await this.#connection.runBatch(calls);
    for (const id of ids) this.#known.delete(id);
  }

  /** Those of a node that were claimed and have not been taken out, as far as they were there at the begin. */
  async live(node: string): Promise<readonly Claimed[]> {
    const claimed = new Map<string, Claimed>();
    // From the end, so that none is passed over when others before it go meanwhile.
    for (let before = -1; before !== 0; ) {
      const answer = await this.#connection.run(page, this.#keys.node(node), before);
      const [first, ...rest] = Array.isArray(answer) ? answer.map(String) : [];
      for (let i = 0; i + 2 < rest.length; i += 3) {
        const [id = "", age, text = ""] = rest.slice(i, i + 3);
        claimed.set(id, { id, age_ms: Number(age), ...ownerOf(text) });
      }
      before = Number(first ?? 0);
    }
    return [...claimed.values()];
  }

  #remember(id: string, text: string): Owner {
    const owner = ownerOf(text);
    this.#known.set(id, owner);
    for (const first of this.#known.keys()) {
      if (this.#known.size > REMEMBERED) this.#known.delete(first);
      else break;
    }
    return owner;
  }
}

function ownerOf(text: string): Owner {
  const [app_id = "", epoch = ""] = text.split(" ");
  return { app_id, epoch };
}

/** By what `of` tells of each, in their order. */
export function groups<T>(all: readonly T[], of: (each: T) => string): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const each of all) {
    const name = of(each);
    const same = found.get(name);
    if (same === undefined) found.set(name, [each]);
    else same.push(each);
  }
  return found;
}
