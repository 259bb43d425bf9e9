import type { Context } from "./context";
import { Script } from "./script";

/**
 * A claim is made before the app that has the number is written, so that a young one without an app is not yet stale. Whoever
 * claims has this long to write the app.
 */
export const WRITE_MS = 5000;
const YOUNG_MS = 2 * WRITE_MS;

// HASH form → "app id:number of the claim:ms of the claim"; field ":", which no form is, counts the claims.

/** app id, forms → number and ms of the claim, then form and holding of those that others hold: then nothing is claimed */
const claim = new Script("claim_numbers", {
  body: /* lua */ `
local answer = {call('HINCRBY', A, ':', 1), now()}
for i = 2, #ARGV do
  local holding = call('HGET', A, ARGV[i])
  if holding and holding:match('^[^:]*') ~= ARGV[1] then
    answer[#answer + 1] = ARGV[i]
    answer[#answer + 1] = holding
  end
end
if #answer == 2 then
  for i = 2, #ARGV do call('HSET', A, ARGV[i], ARGV[1] .. ':' .. answer[1] .. ':' .. answer[2]) end
end
return answer`,
});

/** app id, number, forms: those that this app claimed with a lower number are free */
const release = new Script("release_numbers", {
  body: /* lua */ `
for i = 3, #ARGV do
  local app_id, number = (call('HGET', A, ARGV[i]) or ''):match('^([^:]*):(%d+):')
  if app_id == ARGV[1] and tonumber(number) < tonumber(ARGV[2]) then call('HDEL', A, ARGV[i]) end
end
return 1`,
});

/** pairs of form and holding: free those that are still held so, unless they were claimed just now → how many are free */
const evict = new Script("evict_numbers", {
  body: /* lua */ `
local free = 0
for i = 1, #ARGV, 2 do
  local holding = call('HGET', A, ARGV[i])
  if holding == ARGV[i + 1] and now() - tonumber(holding:match('%d+$')) >= ${YOUNG_MS} then
    call('HDEL', A, ARGV[i])
    holding = false
  end
  if not holding then free = free + 1 end
end
return free`,
});

interface Claim {
  readonly number: number;
  /** ms */
  readonly at: number;
}

/** A form as it is held: by whom, and the value that says so. */
interface Holding {
  readonly form: string;
  readonly holder: string;
  readonly value: string;
}

/**
 * Which app gets the calls to a number: an index beside the apps. What counts is the app; an entry that its app does not list
 * is stale, and goes to who asks for it.
 */
export class Numbers {
  readonly #context: Context;
  readonly #lists: (app_id: string, form: string) => Promise<boolean>;

  /** @param lists does the app exist, and list this form? */
  constructor(context: Context, lists: (app_id: string, form: string) => Promise<boolean>) {
    this.#context = context;
    this.#lists = lists;
  }

  /** All of these for the app, or none: then the first that another one holds. Written has to be the app before `at` + `WRITE_MS`. */
  async claim(app_id: string, forms: readonly string[]): Promise<{ readonly taken: string } | Claim> {
    const { connection, keys } = this.#context;
    for (;;) {
      const answer = await connection.run(claim, keys.numbers, app_id, ...forms);
      const [number, at, ...texts] = Array.isArray(answer) ? answer : [];
      const held = holdings(texts.map(String));
      if (held.length === 0) return { number: Number(number), at: Number(at) };
      for (const { form, holder } of held) if (await this.#lists(holder, form)) return { taken: form };
      const free = await this.#evict(held);
      const [first] = held;
      if (free < held.length && first !== undefined) return { taken: first.form };
    }
  }

  /** The number that the next claim would have had: all that were made before have lower ones. */
  async mark(): Promise<number> {
    const { connection, keys } = this.#context;
    return Number(await connection.command("HINCRBY", keys.numbers, ":", 1));
  }

  /** Those of the app that it has not claimed with this number, or later. */
  async release(app_id: string, forms: readonly string[], number: number): Promise<void> {
    const { connection, keys } = this.#context;
    if (forms.length > 0) await connection.run(release, keys.numbers, app_id, number, ...forms);
  }

  /** Who gets calls to this number, the ones with the better right first: exact, then the longest prefix. */
  async holders(did: string): Promise<readonly Holding[]> {
    const forms = did.endsWith("*") ? [] : [did];
    for (let length = did.length; length >= 0; length--) forms.push(`${did.slice(0, length)}*`);
    const { connection, keys } = this.#context;
    const values = await connection.command("HMGET", keys.numbers, ...forms);
    if (!Array.isArray(values)) return [];
    return holdings(forms.flatMap((form, i) => (typeof values[i] === "string" ? [form, values[i]] : [])));
  }

  async #evict(held: readonly Holding[]): Promise<number> {
    const { connection, keys } = this.#context;
    const pairs = held.flatMap(({ form, value }) => [form, value]);
    return Number(await connection.run(evict, keys.numbers, ...pairs));
  }
}

function holdings(pairs: readonly string[]): readonly Holding[] {
  const held: Holding[] = [];
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    const [form = "", value = ""] = pairs.slice(i, i + 2);
    held.push({ form, holder: value.slice(0, value.indexOf(":")), value });
  }
  return held;
}
