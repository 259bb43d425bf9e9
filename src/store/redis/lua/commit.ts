import { Script } from "../script";
import { change, REMEMBER_MS } from "./subject";

/** A commit is known again as long as fewer than this came after it. */
const NONCES = 8;
/** Beyond it the longest ended calls and rooms of an app are forgotten with the next sweep. */
export const ENDED_PER_APP = 100_000;

/**
 * State and events, both or neither. The keys are described at `subject`.
 *
 * 1 call or room, 2 `epoch version revision fence kind life decided retention_ms` with spaces between them (fence `-`: none;
 * kind s or r; decided: how many), 3 nonce, 4 JSON, 5 operations, 6 facts, 7 name of a room that is not live any more, else "",
 * then two of each decided operation, `status operation_id group` and its uid (`-` for no group, "" for a uid that the gateway
 * made up), then the events.
 *
 * → committed, conflict, fenced, gone; `full`: committed, and there is something to forget.
 */
export const commit = new Script("commit", {
  use: [change],
  body: /* lua */ `
local id, given, nonce, j, ops, g, name = unpack(ARGV, 1, 7)
local epoch, version, revision, fence, kind, life, decided, retention_ms =
  given:match('^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+)$')
local t = T(epoch)
local key = t .. 's:' .. id
local kept = call('HMGET', key, 'k', 'life', 'v', 'w', 'f', 'g', 'ops', 'forget')
local before = kept[2]
if kept[1] ~= kind or is_over(kept[8]) then return 'gone' end
local nonces = kept[4] or ''
if kept[3] ~= version then
  -- The second run of a commit finds a newer version, and perhaps the end that it made itself.
  if (' ' .. nonces):find(' ' .. nonce .. ' ', 1, true) then return 'committed' end
  return before == 'ended' and 'gone' or 'conflict'
end
if before == 'ended' then return 'gone' end
local app = call('HMGET', t .. 'app', 'rev', 'url')
if app[1] ~= revision then return 'conflict' end
if fence == '-' then
  fence = kept[5] or 0
elseif tonumber(fence) < tonumber(kept[5] or 0) then
  return 'fenced'
end

nonces = nonce .. ' ' .. nonces
nonces = nonces:match('^${"[^ ]* ".repeat(NONCES)}') or nonces
for i = 8, 6 + 2 * decided, 2 do
  local status, operation_id, group = ARGV[i]:match('^(%S+) (%S+) (%S+)$')
  local uid = ARGV[i + 1]
  if uid ~= '' then
    local by, rest = (call('HGET', t .. 'u:' .. id, uid) or ''):match('^%S+ (%S+)(.*)$')
    if by == operation_id then
      if status == 'free' then
        call('HDEL', t .. 'u:' .. id, uid)
      else
        call('HSET', t .. 'u:' .. id, uid, status .. ' ' .. by .. rest)
      end
    end
  end
  if status == 'free' and group ~= '-' then
    local window = call('HGET', key, 'c:' .. group)
    if window and window:match(' (.*)$') == operation_id then call('HDEL', key, 'c:' .. group) end
  end
end

if life == 'ended' then
  -- Nothing of it is pending any more, whatever its last state says.
  for operation in pending(kept[7]) do call('ZREM', A .. 'dl', id .. ' ' .. operation) end
elseif kept[7] ~= ops then
  for operation in pending(kept[7]) do
    if not ops:find('"operation_id":"' .. operation .. '"', 1, true) then
      call('ZREM', A .. 'dl', id .. ' ' .. operation)
    end
  end
end

-- To be live again is not for one that is closing.
local after = life == 'live' and before or life
local forget = digits(now() + ${REMEMBER_MS})
if after == 'ended' then
  call('DEL', key)
  call('HSET', key, 'k', kind, 'life', 'ended', 'v', version + 1, 'w', nonces, 'forget', forget)
  call('ZADD', t .. 'ended', forget, id)
else
  call('HSET', key, 'v', version + 1, 'w', nonces, 'f', fence, 'j', j, 'ops', ops, 'g', g)
end
if after ~= before then
  local closing = t .. (kind == 's' and 'closing' or 'closingrooms')
  call('ZREM', before == 'live' and t .. (kind == 's' and 'live' or 'rooms') or closing, id)
  if after == 'closing' then
    call('HSET', key, 'life', 'closing', 'forget', forget)
    call('ZADD', closing, forget, id)
  end
end

if kind == 's' then
  local from, to = fact(kept[6], 2), life == 'live' and fact(g, 2) or ''
  if from ~= '' and from ~= to then leave_room(t, from, id) end
  if to ~= '' and kept[6] ~= g then enter_room(t, to, id, fact(g, 6)) end
elseif life ~= 'live' then
  if call('HGET', t .. 'names', name) == id then call('HDEL', t .. 'names', name) end
  call('ZREM', A .. 'idle', id)
end

publish(t, id, kind, app[2] ~= '', 8 + 2 * decided, #ARGV)
if after ~= 'ended' then return 'committed' end
source_over(t, id, retention_ms)
return call('ZCARD', t .. 'ended') > ${ENDED_PER_APP} and 'full' or 'committed'`,
});
