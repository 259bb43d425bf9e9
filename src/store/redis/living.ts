/** What has become of calls and rooms: asked in the slots of their apps. */
import type { Context } from "./context";
import { AT_ONCE, groups, type Owner } from "./owners";
import { Script } from "./script";

/** fence or "", then pairs of epoch and id → life of each, "" where there is none; the fence of what has not ended is raised */
const lives = new Script("lives", {
  body: /* lua */ `
local fence = tonumber(ARGV[1])
local answer = {}
for i = 2, #ARGV, 2 do
  local key = T(ARGV[i]) .. 's:' .. ARGV[i + 1]
  local kept = call('HMGET', key, 'life', 'f', 'forget')
  local life = kept[1] or ''
  if kept[3] and tonumber(kept[3]) <= now() then life = 'ended' end
  answer[#answer + 1] = life
  if fence and life ~= '' and life ~= 'ended' and fence > tonumber(kept[2] or 0) then call('HSET', key, 'f', fence) end
end
return answer`,
});

/** → 1 when it is a live one of this kind that everybody may see */
const shows = new Script("shows", {
  body: /* lua */ `
local kept = call('HMGET', T(ARGV[1]) .. 's:' .. ARGV[2], 'k', 'life', 'g')
return kept[1] == ARGV[3] and kept[2] == 'live' and kept[3]:sub(1, 8) ~= 'opening\\31' and 1 or 0`,
});

/** An owner without a call or room: one is being made, or was not made when it should have been. */
const STRANDED_MS = 60_000;

export class Living {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Those of the node that have not ended. What the index holds beyond them is taken out. */
  async of(node: string): Promise<readonly string[]> {
    return this.#look(node, null);
  }

  /** Of now on, for all of the node that have not ended. */
  async raiseFence(node: string, fence: number): Promise<void> {
    await this.#look(node, fence);
  }

  async has(id: string): Promise<boolean> {
    const owner = await this.#context.owners.find(id);
    if (owner === null) return false;
    const life = (await this.#lives([{ id, ...owner }], null)).get(id);
    return life !== undefined && life !== "" && life !== "ended";
  }

  /** Does another app show such a call, or room? What is left of a deleted app of the same id is nobody's any more. */
  async isForeign(app_id: string, id: string, kind: "session" | "room"): Promise<boolean> {
    const { connection, keys, owners } = this.#context;
    const owner = await owners.find(id);
    if (owner === null || owner.app_id === app_id) return false;
    const kept = kind === "session" ? "s" : "r";
    return (await connection.run(shows, keys.app(owner.app_id), owner.epoch, id, kept)) === 1;
  }

  async #look(node: string, fence: number | null): Promise<readonly string[]> {
    const { owners } = this.#context;
    const claimed = await owners.live(node);
    const lives = await this.#lives(claimed, fence);
    const living: string[] = [];
    const stranded: string[] = [];
    for (const { id, age_ms } of claimed) {
      const life = lives.get(id) ?? "";
      if (life === "ended") await owners.ended(id);
      else if (life !== "") living.push(id);
      else if (age_ms > STRANDED_MS) stranded.push(id);
    }
    if (stranded.length > 0) await owners.forget(stranded);
    return living;
  }

  /** Their `life`: "" where there is none. */
  async #lives(all: readonly (Owner & { readonly id: string })[], fence: number | null): Promise<Map<string, string>> {
    const { connection, keys } = this.#context;
    const calls = [];
    for (const [app_id, own] of groups(all, (each) => each.app_id)) {
      for (let i = 0; i < own.length; i += AT_ONCE) {
        const some = own.slice(i, i + AT_ONCE);
        const args = [fence ?? "", ...some.flatMap(({ epoch, id }) => [epoch, id])];
        calls.push({ script: lives, key: keys.app(app_id), args, some });
      }
    }
    const answers = await connection.runBatch(calls);
    const found = new Map<string, string>();
    calls.forEach(({ some }, i) => {
      const answer = answers[i];
      if (!Array.isArray(answer)) return;
      some.forEach(({ id }, place) => {
        found.set(id, String(answer[place]));
      });
    });
    return found;
  }
}
