/** Reading of what an app's calls and rooms have told. Nobody is found in an app that is gone. */
import { Script } from "../script";
import { sources } from "./sources";

/** How many records are fetched at once before their bytes are looked at. */
const STEP = 16;
/** How much of a room's list is passed over in one call. */
const PASSED = 4096;

/** Piece: for the scripts below. */
const reading = /* lua */ `
${sources}
-- A page of no more than limit, of no more bytes than room, but for the first one.
local function page_of(limit, room)
  local answer = {}
  return answer, function(text, record)
    room = room - #record
    if #answer >= limit or (room < 0 and #answer > 0) then return false end
    answer[#answer + 1] = text
    return true
  end
end

local function source_of(t, id)
  local q = call('HMGET', t .. 'q:' .. id, 'lo', 'tot', 'k', 'end')
  if q[4] and tonumber(q[4]) <= now() then return nil end
  return {lo = whole(q[1]), tot = whole(q[2]), k = q[3]}
end

-- Place in the list of the first record with a higher sequence.
local function behind(t, id, s, after)
  local low, high = 0, s.tot - s.lo
  while low < high do
    local middle = math.floor((low + high) / 2)
    local sequence = call('LINDEX', t .. 'e:' .. id, middle):match('^%d+\\t%d+\\t(%d+)')
    if tonumber(sequence) <= after then low = middle + 1 else high = middle end
  end
  return low
end

-- The feed of this epoch: position of its last event, that of the first reference, and of the first event that is not too old.
local function feed_of(t, retention)
  local last, count = whole(call('HGET', t .. 'log', 'last')), call('LLEN', t .. 'feed')
  local first, old = last - count + 1, now() - retention
  local function fresh(from)
    local low, high = math.max(from - first, 0), count
    while low < high do
      local at = tonumber(call('LINDEX', t .. 'feed', low):match('^%d+\\t(%d+)'))
      if at > old then break end
      -- Halves what is left; the one looked at first is nearly always the one.
      local middle = math.floor((low + high) / 2)
      at = tonumber(call('LINDEX', t .. 'feed', middle):match('^%d+\\t(%d+)'))
      if at > old then high = middle else low = middle + 1 end
    end
    return first + low
  end
  return last, first, fresh
end
`;

/** session uuid, after, limit, bytes of a page → records */
export const sessionEvents = new Script("session events", {
  use: [reading],
  body: /* lua */ `
local epoch = call('GET', A .. 'cur')
if not epoch then return {} end
local t, id = T(epoch), ARGV[1]
local s = source_of(t, id)
if not s or s.k ~= 's' then return {} end
local answer, add = page_of(tonumber(ARGV[3]), tonumber(ARGV[4]))
local place = behind(t, id, s, tonumber(ARGV[2]))
while true do
  local records = call('LRANGE', t .. 'e:' .. id, place, place + ${STEP - 1})
  for _, record in ipairs(records) do
    if not add(record, record) then return answer end
  end
  if #records < ${STEP} then return answer end
  place = place + ${STEP}
end`,
});

/**
 * room id, after, limit, bytes of a page → where to go on when nothing was found so far, or "", `number \t source \n record`. What
 * members told who are forgotten is passed over, and may be much: then one call is not all.
 */
export const roomEvents = new Script("room events", {
  use: [reading],
  body: /* lua */ `
local epoch = call('GET', A .. 'cur')
if not epoch then return {''} end
local t, id = T(epoch), ARGV[1]
local list = t .. 'r:' .. id
if not source_of(t, id) then return {''} end
local lost = whole(call('HGET', t .. 'q:' .. id, 'rb'))
local answer, add = page_of(tonumber(ARGV[3]), tonumber(ARGV[4]))
local place, known = math.max(tonumber(ARGV[2]) - lost, 0), {}
local stop = place + ${PASSED}
local function told(go_on)
  table.insert(answer, 1, go_on)
  return answer
end
while true do
  local refs = call('LRANGE', list, place, place + ${STEP - 1})
  for i, ref in ipairs(refs) do
    local ordinal, source = ref:match('^(%d+)\\t(.*)$')
    if known[source] == nil then known[source] = source_of(t, source) or false end
    local s = known[source]
    local at = s and tonumber(ordinal) - s.lo or -1
    local record = at >= 0 and call('LINDEX', t .. 'e:' .. source, at)
    if record and not add(lost + place + i .. '\\t' .. source .. '\\n' .. record, record) then return told('') end
  end
  if #refs < ${STEP} then return told('') end
  place = place + ${STEP}
  if place >= stop and #answer == 0 then return told(lost + place) end
end`,
});

/** webhook id or "", its source, its sequence, retention in ms → epoch, position, 1 when it is known; nil: no such app */
export const position = new Script("feed position", {
  use: [reading],
  body: /* lua */ `
local epoch = call('GET', A .. 'cur')
if not epoch then return false end
local t, source, sequence, retention = T(epoch), ARGV[2], ARGV[3], tonumber(ARGV[4])
local last, _, fresh = feed_of(t, retention)
if ARGV[1] == '' then return {epoch, last, 1} end
local from = 1
local s = source ~= '' and source_of(t, source)
if s then
  local record = call('LINDEX', t .. 'e:' .. source, behind(t, source, s, tonumber(sequence) - 1))
  if record then
    local at, ms, number, id = record:match('^(%d+)\\t(%d+)\\t(%d+)\\t[^\\t]*\\t%d+\\t[^\\t]*\\t([^\\n]*)\\n')
    if number == sequence and id == '' and tonumber(ms) > now() - retention then from = tonumber(at) + 1 end
  end
end
return {epoch, fresh(from) - 1, from > 1 and 1 or 0}`,
});

/**
 * epoch, position behind which to begin, limit, bytes of a page, retention in ms
 * → epoch, position to go on from, 1 when something is missing before, `source \n record`; nil: no such app
 */
export const feed = new Script("feed", {
  use: [reading],
  body: /* lua */ `
local epoch = call('GET', A .. 'cur')
if not epoch then return false end
local t = T(epoch)
local after = ARGV[1] == epoch and tonumber(ARGV[2]) or nil
local last, first, fresh = feed_of(t, tonumber(ARGV[5]))
local events, add = page_of(tonumber(ARGV[3]), tonumber(ARGV[4]))
local here, gap = after, after == nil
local function read()
  local place = fresh((after or 0) + 1)
  while place <= last do
    local refs = call('LRANGE', t .. 'feed', place - first, place - first + ${STEP - 1})
    for _, ref in ipairs(refs) do
      local ordinal, source = ref:match('^(%d+)\\t%d+\\t%d+\\t(.*)$')
      local s = source_of(t, source)
      local at = s and tonumber(ordinal) - s.lo or -1
      local record = at >= 0 and call('LINDEX', t .. 'e:' .. source, at)
      if record then
        local missing = here ~= nil and place ~= here + 1
        -- What is missing is told before what comes behind it, and not in the middle.
        if missing and #events > 0 then return end
        if not add(source .. '\\n' .. record, record) then return end
        gap = gap or missing
        here = place
      end
      place = place + 1
    end
  end
end
read()
if #events == 0 then
  gap = gap or after ~= last
  here = last
end
local answer = {epoch, here, gap and 1 or 0}
for i, text in ipairs(events) do answer[3 + i] = text end
return answer`,
});

/** → what another one tells that the feed has grown, or is another one's */
export const grown = new Script("feed grown", {
  body: /* lua */ `
local epoch = call('GET', A .. 'cur')
return epoch and epoch .. '.' .. (call('HGET', T(epoch) .. 'log', 'last') or '0') or ''`,
});
