/** What is read of calls and rooms. The keys are described at `subject`. */
import { Script } from "../script";
import { settings } from "./settings";

/** id, epoch, kind, stamp of the settings that are known → version, JSON, stamp and JSON of the settings; nil: not there, or over */
export const load = new Script("load", {
  use: [settings],
  body: /* lua */ `
local id, epoch, kind, known = unpack(ARGV)
local t = T(epoch)
local s = call('HMGET', t .. 's:' .. id, 'k', 'v', 'j', 'ops', 'forget')
if s[1] ~= kind or not s[3] or (s[5] and tonumber(s[5]) <= now()) then return false end
local app = call('HMGET', t .. 'app', 'rev', 'made', 'disabled')
if not app[1] then return false end
return {s[2], s[3] .. s[4] .. ']}', settings(t, epoch, known, app[1], app[2], app[3])}`,
});

/**
 * kind, limit; created_at and id after which it goes on, if it does → 1 when there are more, then of each JSON, and of a room
 * how many are in it.
 *
 * Where a mark stands that is not there any more is found by putting it there for a moment: Lua compares texts by the
 * locale of the server, and Redis by their bytes.
 */
export const page = new Script("page", {
  body: /* lua */ `
local kind, limit, created_at, after = unpack(ARGV)
local epoch = call('GET', A .. 'cur')
if not epoch then return {0} end
local t = T(epoch)
local live = t .. (kind == 's' and 'live' or 'rooms')
local rank = 0
if after then
  local added = call('ZADD', live, 'NX', created_at, after)
  rank = call('ZREVRANK', live, after) + 1
  if added == 1 then
    call('ZREM', live, after)
    rank = rank - 1
  end
end
local answer, left = {0}, tonumber(limit)
while true do
  local ids = call('ZREVRANGE', live, rank, rank + limit)
  rank = rank + #ids
  for _, id in ipairs(ids) do
    local s = call('HMGET', t .. 's:' .. id, 'g', 'j', 'ops')
    if s[2] and s[1]:sub(1, 8) ~= 'opening\\31' then
      if left == 0 then
        answer[1] = 1
        return answer
      end
      left = left - 1
      answer[#answer + 1] = s[2] .. s[3] .. ']}'
      if kind == 'r' then answer[#answer + 1] = call('ZCARD', t .. 'm:' .. id) end
    end
  end
  if #ids == 0 then return answer end
end`,
});

/** room, epoch → of each of its members, in the order of their joining, the call and its facts */
export const members = new Script("members", {
  body: /* lua */ `
local room, epoch = unpack(ARGV)
local t = T(epoch)
local s = call('HMGET', t .. 's:' .. room, 'k', 'j', 'forget')
if s[1] ~= 'r' or not s[2] or (s[3] and tonumber(s[3]) <= now()) then return {} end
local answer = {}
for _, id in ipairs(call('ZRANGE', t .. 'm:' .. room, 0, -1)) do
  local g = call('HGET', t .. 's:' .. id, 'g')
  if g then
    answer[#answer + 1] = id
    answer[#answer + 1] = g
  end
end
return answer`,
});

/** → ms */
export const clock = new Script("clock", { body: "return now()" });
