/**
 * Scripts on the leases of the nodes, in a slot of their own. `A nodes`: SET of those that have a lease; `A l:<node>`: HASH of
 * `owner` (none: given up, or lost), `fence`, `until` (ms), `since` and `seen` (ms since when, and when last, it was seen to be
 * held by nobody), `lost`; `A end:<node>`: HASH of what is to be ended → cause.
 */
import { Script } from "../script";

/** Who looks less often than this is not looking: Redis may have been away in between. */
const LOOK_MS = 5000;

/** owner, ms of the lease, ms until a node is lost, nodes → of each node: its name, the own fence or "", state, endings */
export const hold = new Script("hold", {
  body: /* lua */ `
local owner, lease_ms, lost_ms = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
for i = 4, #ARGV do
  local key = A .. 'l:' .. ARGV[i]
  local lease = call('HMGET', key, 'owner', 'until', 'lost', 'fence')
  local is_own = lease[1] == owner
  if not lease[3] and (is_own or not lease[1] or tonumber(lease[2]) <= now()) then
    -- By the clock: higher also than what was forgotten, or lost with the server's last moments.
    if not is_own then call('HSET', key, 'fence', math.max((tonumber(lease[4]) or 0) + 1, now())) end
    call('HSET', key, 'owner', owner, 'until', now() + lease_ms)
    call('HDEL', key, 'since', 'seen')
    call('SADD', A .. 'nodes', ARGV[i])
  end
end
local nodes = call('SMEMBERS', A .. 'nodes')
table.sort(nodes)
local answer = {}
for _, node in ipairs(nodes) do
  local key = A .. 'l:' .. node
  local lease = call('HMGET', key, 'owner', 'until', 'lost', 'fence', 'since', 'seen')
  local is_lost, is_held = lease[3], tonumber(lease[2]) > now()
  if not is_lost and not is_held then
    local since = lease[5]
    if not since or now() - tonumber(lease[6]) > ${LOOK_MS} then since = now() end
    call('HSET', key, 'since', since, 'seen', now())
    if now() - tonumber(since) >= lost_ms then
      is_lost = true
      call('HSET', key, 'lost', 1)
      call('HDEL', key, 'owner')
    end
  end
  local is_own = is_held and not is_lost and lease[1] == owner
  answer[#answer + 1] = {node, is_own and lease[4] or '', is_lost and 'lost' or is_held and 'held' or 'away',
    is_own and call('HGETALL', A .. 'end:' .. node) or {}}
end
return answer`,
});

/** owner */
export const release = new Script("release", {
  body: /* lua */ `
for _, node in ipairs(call('SMEMBERS', A .. 'nodes')) do
  local key = A .. 'l:' .. node
  if call('HGET', key, 'owner') == ARGV[1] then
    call('HDEL', key, 'owner')
    call('HSET', key, 'until', now())
  end
end
return 1`,
});

/** node, id, cause: nothing where the node has no lease */
export const askToEnd = new Script("ask_to_end", {
  body: /* lua */ `
if call('SISMEMBER', A .. 'nodes', ARGV[1]) == 0 then return 0 end
return call('HSET', A .. 'end:' .. ARGV[1], ARGV[2], ARGV[3])`,
});

/** node: only a lost one */
export const forget = new Script("forget_node", {
  body: /* lua */ `
if not call('HGET', A .. 'l:' .. ARGV[1], 'lost') then return 0 end
call('DEL', A .. 'l:' .. ARGV[1], A .. 'end:' .. ARGV[1])
return call('SREM', A .. 'nodes', ARGV[1])`,
});
