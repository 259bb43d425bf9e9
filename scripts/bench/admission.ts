/** Admission in one script call, as one would write it for Fastify: nothing but what the checks of the contract need. */
import { createHash, randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { keyDigest } from "../../src/keys";
import type { Admit, Asked } from "./fastify";

/**
 * One argument, its parts between line feeds. Key, quota, session, uid, guards, cooldown; then what is pending is written
 * down with its deadline. All keys have the tag of the app. A session of another app is not in this slot, and not there.
 */
const script = /* lua */ `#!lua
local A = KEYS[1]
local digest, address, id, operation, uid, fingerprint, group, cooldown, timeout, guards =
  string.match(ARGV[1], '^(.-)\\n(.-)\\n(.-)\\n(.-)\\n(.-)\\n(.-)\\n(.-)\\n(.-)\\n(.-)\\n(.*)$')
local app = redis.call('HMGET', A .. 'app', 'digest', 'limit')
if app[1] ~= digest then return {'key'} end
local limit = tonumber(app[2])
local window = A .. 'q:' .. address
local count, left = redis.call('INCR', window), 1000
if count == 1 then redis.call('PEXPIRE', window, 1000) else left = redis.call('PTTL', window) end
if count > limit then return {'quota', limit, count, left} end
if id == '' then return {'ok', limit, count, left} end
local key = A .. 's:' .. id
local facts = redis.call('HMGET', key, 'state', 'room', 'muted', 'rec', 'c:' .. group)
if uid ~= '' then
  local seen = redis.call('HGET', A .. 'u:' .. id, uid)
  if seen then
    local print, before = string.match(seen, '^(.-) (.*)$')
    if print ~= fingerprint then return {'uid', limit, count, left} end
    if before ~= operation then return {'replay', limit, count, left, before} end
  end
end
if not facts[1] then return {'gone', limit, count, left} end
local place = { state = 1, room_id = 2, muted = 3, recording = 4 }
for field, sense, values, refusal in string.gmatch(guards, '(.-)([=!])(.-)>(.-);') do
  local among = string.find(values, ',' .. facts[place[field]] .. ',', 1, true)
  if (sense == '=') ~= (among ~= nil) then return {refusal, limit, count, left} end
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if group ~= '' and facts[5] and tonumber(facts[5]) > now then return {'cool', limit, count, left, facts[5] - now} end
local deadline = now + timeout
redis.call('HINCRBY', key, 'v', 1)
if group == '' then redis.call('HSET', key, 'o:' .. operation, deadline)
else redis.call('HSET', key, 'o:' .. operation, deadline, 'c:' .. group, now + cooldown) end
redis.call('ZADD', A .. 'deadlines', deadline, id .. ' ' .. operation)
if uid ~= '' then redis.call('HSET', A .. 'u:' .. id, uid, fingerprint .. ' ' .. operation) end
return {'ok', limit, count, left}
`;
const sha = createHash("sha1").update(script).digest("hex");

/** Statuses of what can be answered to the requests of the benchmark. */
const statuses = new Map([
  ["ok", 202],
  ["replay", 202],
  ["key", 401],
  ["gone", 404],
  ["uid", 409],
  ["quota", 429],
  ["cool", 429],
]);

/** Asks a Redis with the options under which ioredis gives up in time, and never runs a script twice by itself. */
export class ScriptedAdmission {
  readonly #redis: Redis;
  readonly #secretsKey = Buffer.alloc(32, "bench");
  /** What is computed once per connection elsewhere. */
  readonly #digests = new Map<string, string>();
  readonly #guards = new Map<Asked["guards"], string>();

  constructor(url: string) {
    this.#redis = new Redis(url, {
      maxRetriesPerRequest: 1,
      commandTimeout: 250,
      autoResendUnfulfilledCommands: false,
    });
  }

  /** One app, with one key, and its calls. */
  async put(app_id: string, api_key: string, sessions: readonly string[]): Promise<void> {
    await this.#redis.script("LOAD", script);
    await this.#redis.hset(`{${app_id}}:app`, { digest: this.#digest(app_id, api_key), limit: 10_000 });
    for (const id of sessions)
      await this.#redis.hset(`{${app_id}}:s:${id}`, {
        v: 1,
        state: "answered",
        room: "",
        muted: "false",
        rec: "false",
      });
  }

  /** Takes what is pending out of calls, as their results would. */
  async settle(app_id: string, sessions: readonly string[]): Promise<void> {
    await this.#redis.del(`{${app_id}}:deadlines`);
    for (const id of sessions) {
      const fields = await this.#redis.hkeys(`{${app_id}}:s:${id}`);
      const pending = fields.filter((field) => field.startsWith("o:"));
      if (pending.length > 0) await this.#redis.hdel(`{${app_id}}:s:${id}`, ...pending);
    }
  }

  readonly admit: Admit = async (asked) => {
    const { app_id, api_key, session_uuid, command, command_uid = "", cooldown, timeout_ms } = asked;
    const operation_id = randomUUID();
    const fingerprint = command_uid === "" ? "" : createHash("sha256").update(command).digest("base64url");
    const packed =
      `${this.#digest(app_id, api_key)}\n127.0.0.1\n${session_uuid}\n${operation_id}\n${command_uid}\n${fingerprint}\n` +
      `${cooldown?.group ?? ""}\n${cooldown?.ms ?? ""}\n${timeout_ms}\n${this.#written(asked.guards)}`;
    return this.#ask(app_id, operation_id, packed);
  };

  /** Key and quota alone. */
  readonly count: Admit = async ({ app_id, api_key }) =>
    this.#ask(app_id, randomUUID(), `${this.#digest(app_id, api_key)}\n127.0.0.1\n\n\n\n\n\n\n\n`);

  async #ask(app_id: string, operation_id: string, packed: string) {
    const answer = await this.#redis.evalsha(sha, 1, `{${app_id}}:`, packed);
    const [outcome, limit, count, left] = Array.isArray(answer) ? answer : [];
    const quota = {
      limit: Number(limit),
      remaining: Math.max(0, Number(limit) - Number(count)),
      reset_ms: Number(left),
    };
    return { status: statuses.get(outcome) ?? 409, operation_id, quota };
  }

  #digest(app_id: string, api_key: string): string {
    const name = `${app_id} ${api_key}`;
    const known = this.#digests.get(name);
    if (known !== undefined) return known;
    const digest = keyDigest(this.#secretsKey, app_id, api_key);
    this.#digests.set(name, digest);
    return digest;
  }

  /** `field!,value,value,>refusal;` for each. */
  #written(guards: Asked["guards"]): string {
    const known = this.#guards.get(guards);
    if (known !== undefined) return known;
    const text = guards
      .map(
        ({ field, one_of, none_of, error }) =>
          `${field}${one_of ? "=" : "!"},${(one_of ?? none_of ?? []).join(",")},>${error};`,
      )
      .join("");
    this.#guards.set(guards, text);
    return text;
  }
}
