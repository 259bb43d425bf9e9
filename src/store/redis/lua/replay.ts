/** Dead letters as they are listed, and delivered once more. */
import { Script } from "../script";
import { letters } from "./letters";
import { sources } from "./sources";

/** A replay is known again as long as fewer than these came after it. */
const REPLAYS = 8;
/** Even: what is passed to Redis at once, scores and names. */
const CHUNK = 1000;

/** limit, before or "", bytes of a page → before of the next page or "", letters */
export const page = new Script("letters", {
  use: [sources, letters],
  body: /* lua */ `
local epoch = call('GET', A .. 'cur')
if not epoch then return {''} end
local t, limit, room = T(epoch), tonumber(ARGV[1]), tonumber(ARGV[3])
local to = ARGV[2] == '' and '+inf' or '(' .. ARGV[2]
local listed = call('ZREVRANGEBYSCORE', t .. 'dead', to, digits(letters_from()), 'WITHSCORES', 'LIMIT', 0, limit + 1)
local answer, last = {''}, ''
for i = 1, #listed, 2 do
  local letter = call('HGET', t .. 'letters', listed[i]) or ''
  room = room - #letter
  if #answer > limit or (room < 0 and #answer > 1) then
    answer[1] = last
    break
  end
  if letter ~= '' then answer[#answer + 1] = letter end
  last = listed[i + 1]
end
return answer`,
});

/** → how many are listed */
export const count = new Script("count letters", {
  use: [sources, letters],
  body: /* lua */ `
local epoch = call('GET', A .. 'cur')
return epoch and call('ZCOUNT', T(epoch) .. 'dead', digits(letters_from()), '+inf') or 0`,
});

/** nonce, "all" or "some", webhook ids → how many; -1 when one of the ids is not among them */
export const replay = new Script("replay", {
  use: [sources, letters],
  body: /* lua */ `
local epoch = call('GET', A .. 'cur')
if not epoch then return (ARGV[2] == 'all' or #ARGV == 2) and 0 or -1 end
local t = T(epoch)
local dead, all, log, done = t .. 'dead', t .. 'letters', t .. 'log', t .. 'replays'
for _, before in ipairs(call('LRANGE', done, 0, -1)) do
  local nonce, answer = before:match('^(.*) (%-?%d+)$')
  if nonce == ARGV[1] then return tonumber(answer) end
end
local function answered(answer)
  call('LPUSH', done, ARGV[1] .. ' ' .. answer)
  call('LTRIM', done, 0, ${REPLAYS - 1})
  return answer
end

local from, chosen, bytes = letters_from(), {}, 0
if ARGV[2] == 'all' then
  chosen = call('ZRANGEBYSCORE', dead, digits(from), '+inf')
else
  local seen = {}
  for i = 3, #ARGV do
    local id = ARGV[i]
    if not seen[id] then
      local number = call('ZSCORE', dead, id)
      if not number or tonumber(number) < from then return answered(-1) end
      seen[id] = true
      chosen[#chosen + 1] = id
    end
  end
end
local at, tick = now() * 1000, whole(call('HGET', log, 'tick'))
local due, gone = {}, {}
local function queue_up()
  if #gone == 0 then return end
  call('ZADD', t .. 'due', unpack(due))
  call('ZREM', dead, unpack(gone))
  due, gone = {}, {}
end
for _, id in ipairs(chosen) do
  tick = tick + 1
  bytes = bytes + call('HSTRLEN', all, id)
  due[#due + 1] = at + tick % 1000
  due[#due + 1] = 'replay:' .. id
  gone[#gone + 1] = id
  if #due == ${CHUNK} then queue_up() end
end
queue_up()
if #chosen > 0 then
  call('HSET', log, 'tick', tick)
  call('HINCRBY', log, 'lb', -bytes)
  call('HINCRBY', log, 'n', #chosen)
  call('HINCRBY', log, 'b', bytes)
end
return answered(#chosen)`,
});
