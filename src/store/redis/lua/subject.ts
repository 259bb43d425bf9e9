/**
 * Calls and rooms of one epoch `t` of an app. The keys:
 *
 * - `t s:<id>` HASH of a call or room. Always: `k` s or r, `life` live, closing or ended, `v` version, `w` nonces of the last
 *   commits, each with a space behind it, the newest first. Until it has ended: `j` JSON of its state up to the bracket that
 *   opens its operations, `ops` those as JSON, with commas between them, `g` its facts (below), `f` the highest fence,
 *   `c:<group>` window of a group as `until operation_id`. Once it is not live any more: `forget`, ms from which it is not there.
 * - `g` is `state \31 room_id \31 muted \31 recording \31 node \31 joined_at \31 caller_id as JSON`: "" for null, 1 and 0 for
 *   true and false. What the scripts look at: the JSON of the state is never decoded here.
 * - `t u:<id>` HASH: uid → `status operation_id timeout_ms fingerprint`; status `-` while it is open.
 * - `t uids` LIST: `operation_id \31 id \31 uid` of all uids, the oldest first; also of some that are forgotten already.
 * - `t live`, `t rooms` ZSET: live calls and rooms → created_at. `t names` HASH: name → room id.
 * - `t closing`, `t closingrooms`, `t ended` ZSET: calls and rooms that are not live any more → the same ms as in `forget`.
 * - `t m:<room_id>` ZSET: calls in a room → joined_at.
 * - `A dl` ZSET: `id operation_id` of what is pending → deadline. `A idle` ZSET: rooms without members → since when.
 */
import { publish } from "./publish";

/** How long an ended call or room answers repeats, and how long a closing one may take to end. */
export const REMEMBER_MS = 86_400_000;

/** In the order in which they stand in `g`, from 1. */
export const FACTS = ["state", "room_id", "muted", "recording", "node"] as const;

/** Piece: what a change of a call or room needs. It has `publish` in it. */
export const change = /* lua */ `
${publish}
local function fact(g, place)
  for _ = 2, place do g = g:match('\\31(.*)$') end
  return g:match('^[^\\31]*')
end

local function is_over(forget) return forget and tonumber(forget) <= now() end

local function pending(ops)
  return ops:gmatch('"operation_id":"([^"]*)"')
end

-- A call is not in this room any more: one that is known and empty now is idle from now on.
local function leave_room(t, room, id)
  if call('ZREM', t .. 'm:' .. room, id) == 0 or call('EXISTS', t .. 'm:' .. room) == 1 then return end
  if call('HGET', t .. 's:' .. room, 'life') == 'live' then call('ZADD', A .. 'idle', now(), room) end
end

local function enter_room(t, room, id, joined_at)
  call('ZADD', t .. 'm:' .. room, joined_at, id)
  -- Idle is told of the rooms of all epochs; a call is in those of its own.
  if call('EXISTS', t .. 's:' .. room) == 1 then call('ZREM', A .. 'idle', room) end
end
`;

/**
 * Piece `subject`:
 *
 * - `alive(t)`: is there a call or room that has not ended?
 * - `forget_subject(t, id, retention_ms)`: deletes all that is left of it, live or not; what it told is over.
 */
export const subject = /* lua */ `
${change}
local function alive(t)
  return call('EXISTS', t .. 'live', t .. 'rooms', t .. 'closing', t .. 'closingrooms') > 0
end

local function forget_subject(t, id, retention_ms)
  local key = t .. 's:' .. id
  local s = call('HMGET', key, 'k', 'g', 'ops')
  for operation in pending(s[3] or '') do call('ZREM', A .. 'dl', id .. ' ' .. operation) end
  if s[1] == 's' then
    local room = s[2] and fact(s[2], 2) or ''
    if room ~= '' then leave_room(t, room, id) end
  else
    call('ZREM', A .. 'idle', id)
  end
  call('UNLINK', key, t .. 'u:' .. id)
  for _, each in ipairs({'live', 'rooms', 'closing', 'closingrooms', 'ended'}) do call('ZREM', t .. each, id) end
  source_over(t, id, retention_ms)
end
`;
