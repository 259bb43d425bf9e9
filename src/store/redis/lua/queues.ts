import { nothing } from "./sources";

/**
 * The queues of the epochs of one app, while a script delivers from them: each is read once and written once. An epoch `e` has
 * `t`, the settings `url`, `rev`, `off`, `closing`, what was done with `events` of how many `bytes`, `tick`, its `queues` that were
 * read, and in `due` what is to wait (scores and names).
 */

/** Even: what is passed to Redis at once, scores and names. */
const CHUNK = 1000;

/** Piece; needs `sources` and `letters`. */
export const queues = /* lua */ `
local ms = now()
local rare = seldom()

-- Numbers are kept as the text that they are in Redis, but for those that are nearly always needed as numbers.
local function open(e, name)
  local q = e.queues[name]
  if q then return q end
  local f = call('HMGET', e.t .. 'q:' .. name, 'd', 'tot', 'lo', 'keep', 'end')
  local cur, att, skip, token, sequence, bytes, mode, rev =
    (f[1] or '${nothing}'):match('^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%a) (%d+)$')
  q = {
    name = name, replay = name:sub(1, 7) == 'replay:' and name:sub(8), cur = tonumber(cur), att = att, skip = skip,
    token = token, sequence = sequence, bytes = bytes, mode = mode, rev = rev,
    tot = whole(f[2]), lo = whole(f[3]), keep = whole(f[4]), ends = f[5], changed = false,
  }
  e.queues[name] = q
  return q
end

local function wait(e, q, at)
  e.tick = e.tick + 1
  local due = e.due
  due[#due + 1] = digits(at * 1000 + e.tick % 1000)
  due[#due + 1] = q.name
end

-- Writes what was changed.
local function flush(e)
  for name, q in pairs(e.queues) do
    if q.changed then
      local handed_out = q.token .. ' ' .. q.sequence .. ' ' .. q.bytes .. ' ' .. q.mode .. ' ' .. q.rev
      call('HSET', e.t .. 'q:' .. name, 'd', digits(q.cur) .. ' ' .. q.att .. ' ' .. q.skip .. ' ' .. handed_out)
      q.changed = false
    end
  end
end

-- Puts what is to wait among what is due.
local function queue_up(e)
  for i = 1, #e.due, ${CHUNK} do call('ZADD', e.t .. 'due', unpack(e.due, i, math.min(i + ${CHUNK - 1}, #e.due))) end
  e.due = {}
end

-- A letter that is replayed: its bytes, attempts of before, source and record.
local function letter(e, q)
  local text = call('HGET', e.t .. 'letters', q.replay)
  if not text then return nil end
  local attempts, source, from = text:match('^%d+\\t(%d+)\\t([^\\n]*)\\n()')
  return #text, tonumber(attempts), source, text:sub(from)
end

local function give_up(e, q, attempted)
  -- Nobody asks for the dead letters of an app that is gone.
  if e.closing then return false end
  if q.replay then
    local _, attempts, source, record = letter(e, q)
    if not record then return false end
    bury(e.t, source, record, attempts + q.att + attempted)
  else
    local record = call('LINDEX', e.t .. 'e:' .. q.name, q.cur - q.lo)
    if record then bury(e.t, q.name, record, q.att + attempted) end
  end
  return true
end

-- The head of the queue is done with.
local function advance(e, q, bytes, kept)
  e.events = e.events + 1
  e.bytes = e.bytes + bytes
  if q.replay then
    if not kept then call('HDEL', e.t .. 'letters', q.replay) end
    e.queues[q.name] = nil
    rare.forget_source(e.t, q.name)
    return
  end
  q.cur, q.skip, q.att = math.max(q.cur + 1, whole(q.skip)), '0', '0'
  q.changed = true
  if q.cur < q.tot then
    wait(e, q, ms)
  elseif q.ends and tonumber(q.ends) <= ms then
    e.queues[q.name] = nil
    rare.forget_source(e.t, q.name)
    return
  end
  if q.keep > q.lo then
    rare.trim(e.t, q.name, q.lo, q.keep, q.cur)
    q.lo = math.max(q.lo, math.min(q.keep, q.cur))
  end
end

local function settle(e, q, verdict)
  -- What an endpoint said of itself does not hold for the settings that replaced it meanwhile.
  if verdict == 'o' and q.rev ~= e.rev then verdict = '0' end
  local delay = tonumber(verdict)
  if delay then
    q.att = digits(q.att + 1)
    q.changed = true
    -- What cannot be delivered any more, or only once more, has nothing to wait for.
    wait(e, q, (e.off or e.closing) and ms or ms + math.max(0, delay))
    return
  end
  local kept = verdict ~= 'd' and give_up(e, q, q.mode == 'd' and 0 or 1)
  advance(e, q, q.bytes, kept)
  if verdict == 'o' and not e.off then
    e.off = true
    call('HSET', e.t .. 'app', 'disabled', ms)
  end
end
`;
