/** One turn of delivery: settles what was attempted, takes what is due. Its cost does not grow with what waits. */
import { Script } from "../script";
import { letters } from "./letters";
import { queues } from "./queues";
import { sources } from "./sources";

/** An app with more events that were not delivered, or with more bytes of them, gives the oldest up without an attempt. */
const WAITING = 200_000;
const WAITING_BYTES = 134_217_728;
/** Queues that one turn clears at most, of an app that has no address any more. */
const CLEARED = 200;
/** What one turn takes at most: what is passed to Redis from a Lua table. */
const MOST = 500;

/**
 * want, limit, lease in ms, settlements: for each `token \t sequence \t verdict \t queue \n`, the verdict `d` delivered, `x` dead, `o`
 * disable (off), or ms until the retry.
 * → `now \t stale \t closing \t next due in ms or "" \t epochs`; when something was taken for each epoch its url, its sealed secret
 * and `old`; for each event `queue \t token \t attempts \t mode \t epoch \t since \t source \n record`, the epoch by its place from 0,
 * since "" for the event's own time, source "" for that of the queue's name.
 */
export const turn = new Script("turn", {
  use: [sources, letters, queues],
  body: /* lua */ `
local want, limit, lease = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local lease_ends = digits(ms + lease)
local stale = 0

local epochs = {}
for _, epoch in ipairs(call('SMEMBERS', A .. 'all')) do
  local t = T(epoch)
  local app = call('HMGET', t .. 'app', 'url', 'rev', 'disabled', 'closing', 'until', 'secret', 'old')
  local closing = app[4] == '1'
  if app[1] and not (closing and tonumber(app[5]) <= ms) then
    local c = call('HMGET', t .. 'log', 'n', 'b', 'tick')
    epochs[#epochs + 1] = {
      t = t, url = app[1], rev = app[2], off = app[3] ~= '', closing = closing, secret = app[6], old = app[7],
      n = whole(c[1]), b = whole(c[2]), tick = whole(c[3]), first_tick = whole(c[3]),
      events = 0, bytes = 0, queues = {}, due = {}, gone = {}, leases = {}, lost = {},
    }
  end
end

local tokens, sequences, verdicts, names = {}, {}, {}, {}
for token, sequence, verdict, name in ARGV[4]:gmatch('(%S+)\\t(%S+)\\t(%S+)\\t([^\\n]+)\\n') do
  local i = #names + 1
  tokens[i], sequences[i], verdicts[i], names[i] = token, sequence, verdict, name
end
for _, e in ipairs(epochs) do
  local landed, is_done = {}, {}
  for from = 1, #names, ${MOST} do
    local to = math.min(from + ${MOST - 1}, #names)
    local leases = call('ZMSCORE', e.t .. 'fly', unpack(names, from, to))
    for i = from, to do
      local name = names[i]
      local q = leases[i - from + 1] and not is_done[name] and open(e, name)
      if q and q.token == tokens[i] and q.sequence == sequences[i] then
        is_done[name] = true
        landed[#landed + 1] = name
        settle(e, q, verdicts[i])
      end
    end
  end
  for from = 1, #landed, ${MOST} do
    call('ZREM', e.t .. 'fly', unpack(landed, from, math.min(from + ${MOST - 1}, #landed)))
  end
  stale = stale - #landed
end
stale = stale + #names

-- Nobody wants these any more; dead letters stay such.
local function clear(e)
  flush(e)
  e.queues = {}
  for _, name in ipairs(call('ZRANGE', e.t .. 'due', 0, ${CLEARED - 1})) do
    local q = open(e, name)
    if q.replay then
      call('ZREM', e.t .. 'due', name)
      advance(e, q, letter(e, q) or 0, give_up(e, q, 0))
    else
      rare.forgo(e.t, name)
      if q.ends and tonumber(q.ends) <= ms then rare.forget_source(e.t, name) end
    end
  end
  e.queues = {}
end

local function too_many(e) return e.n - e.events > ${WAITING} or e.b - e.bytes > ${WAITING_BYTES} end

-- What waits, the first one first: score and name.
local flying, candidates = 0, {}
for _, e in ipairs(epochs) do
  -- What was not settled in time is due from the end of its lease: ahead of what came later.
  local late = call('ZRANGEBYSCORE', e.t .. 'fly', '-inf', ms, 'WITHSCORES')
  for i = 1, #late, 2 do
    call('ZREM', e.t .. 'fly', late[i])
    wait(e, {name = late[i]}, tonumber(late[i + 1]))
  end
  queue_up(e)
  if e.url == '' then clear(e) end
  flying = flying + call('ZCARD', e.t .. 'fly')
end
local room = math.min(want, limit - flying, ${MOST})
for place, e in ipairs(epochs) do
  -- What is given up, or sent for the last time, has nothing to wait for.
  e.at_once = e.off or e.closing or too_many(e)
  if room > 0 and e.url ~= '' then
    local to = e.at_once and '+inf' or '(' .. digits((ms + 1) * 1000)
    local found = call('ZRANGEBYSCORE', e.t .. 'due', '-inf', to, 'WITHSCORES', 'LIMIT', 0, room)
    for i = 1, #found, 2 do
      candidates[#candidates + 1] = {e = e, place = digits(place - 1), name = found[i], score = tonumber(found[i + 1])}
    end
  end
end
if #epochs > 1 then table.sort(candidates, function(one, other) return one.score < other.score end) end

-- Hands the head of a queue out: nil when there is none, which only somebody else's deletions can bring about.
local function hand_out(e, place, name, score)
  local q = open(e, name)
  local record, bytes, source, since
  if q.replay then
    local key, _ = e.t .. 'q:' .. name, nil
    bytes, _, source, record = letter(e, q)
    if record and call('HSETNX', key, 'since', digits(math.floor(score / 1000))) == 1 then
      call('ZADD', e.t .. 'over', 'NX', 'inf', name)
    end
    since = call('HGET', key, 'since')
  else
    record = call('LINDEX', e.t .. 'e:' .. name, q.cur - q.lo)
    source, since = '', ''
  end
  if not record then
    if q.replay then e.events = e.events + 1 end
    return nil
  end
  local start, sequence = record:match('^%d+\\t%d+\\t()(%d+)')
  bytes = bytes or #record - start + 1
  q.mode = e.closing and 'c' or 'n'
  if e.off or too_many(e) then
    q.mode = 'd'
    -- It will go: what comes behind it may fit.
    e.n, e.b = e.n - 1, e.b - bytes
  end
  e.tick = e.tick + 1
  q.token, q.sequence, q.bytes, q.rev, q.changed = digits(e.tick), sequence, digits(bytes), e.rev, true
  e.leases[#e.leases + 1] = lease_ends
  e.leases[#e.leases + 1] = name
  return name .. '\\t' .. q.token .. '\\t' .. q.att .. '\\t' .. q.mode .. '\\t' .. place .. '\\t' .. since .. '\\t' .. source
    .. '\\n' .. record
end

local answer = {''}
local used = 0
if #candidates > 0 then
  for _, e in ipairs(epochs) do
    used = used + 1
    answer[#answer + 1] = e.url
    answer[#answer + 1] = e.secret
    answer[#answer + 1] = e.old
  end
end
for i = 1, math.min(room, #candidates) do
  local c = candidates[i]
  local e = c.e
  local text = hand_out(e, c.place, c.name, c.score)
  e.gone[#e.gone + 1] = c.name
  if text then answer[#answer + 1] = text else e.lost[#e.lost + 1] = c.name end
end

local closing, next_at, room_at = 0, nil, nil
local under_way = flying
for _, e in ipairs(epochs) do
  flush(e)
  for _, name in ipairs(e.lost) do rare.forgo(e.t, name) end
  if #e.gone > 0 then call('ZREM', e.t .. 'due', unpack(e.gone)) end
  if #e.leases > 0 then call('ZADD', e.t .. 'fly', unpack(e.leases)) end
  under_way = under_way + #e.leases / 2
  local log = e.t .. 'log'
  if e.events > 0 then rare.count_off(e.t, e.events, e.bytes) end
  if e.tick > e.first_tick then call('HSET', log, 'tick', digits(e.tick)) end
  local first = call('ZRANGE', e.t .. 'due', 0, 0, 'WITHSCORES')[2]
  if first then
    local at = (e.at_once or e.url == '') and ms or math.floor(tonumber(first) / 1000)
    if not next_at or at < next_at then next_at = at end
  end
  if e.closing and (first or call('EXISTS', e.t .. 'fly') == 1) then closing = 1 end
end
if next_at and under_way >= limit then
  for _, e in ipairs(epochs) do
    local ends = call('ZRANGE', e.t .. 'fly', 0, 0, 'WITHSCORES')[2]
    if ends then room_at = math.min(room_at or math.huge, tonumber(ends)) end
  end
  next_at = math.max(next_at, room_at or ms)
end
answer[1] = table.concat({digits(ms), stale, closing, next_at and digits(math.max(0, next_at - ms)) or '', used}, '\\t')
return answer
`,
});

/** → 1 when anything is to be delivered, of a deleted app only as long as its time lasts */
export const waiting = new Script("waiting", {
  body: /* lua */ `
for _, epoch in ipairs(call('SMEMBERS', A .. 'all')) do
  local t = T(epoch)
  if call('EXISTS', t .. 'due', t .. 'fly') > 0 then
    local over = call('HGET', t .. 'app', 'until')
    if over and (over == '' or tonumber(over) > now()) then return 1 end
  end
end
return 0`,
});
