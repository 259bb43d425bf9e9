import { Script } from "../script";
import { settings } from "./settings";

/** The oldest uid of an app goes when it would remember more: a tenant that floods forgets its own, nobody else's. */
const UIDS_PER_APP = 100_000;
const QUOTA_MS = 1000;

/**
 * One request against an app: the checks in their order, then the pending operation. The keys are described at `subject`;
 * `A q:<address>` is the quota of an address: `count ms of its end`.
 *
 * 1 digest, 2 address, 3 `default limit · held · ended · stamp of the settings that are known` with spaces between them,
 * 4 call or "", 5 room or ""; of a command as well 6 `operation_id timeout_ms cooldown_ms group barred` (`-` for none), 7 its
 * JSON up to the deadline, 8 guards, each `place in g · = or ! · error \31 value \31 … \31 \30`; of one whose caller gave the
 * uid 9 that, 10 fingerprint.
 *
 * → admitted: one text, as a list costs who reads it several times as much. Its lines are `limit count · ms until the window
 * ends · version of the call · of the room` with spaces between them (0: none), stamp and JSON of the settings (empty: as
 * known), JSON of the call, JSON of the room. Otherwise a list: the outcome in a word; unless it is `key` also limit, count, ms
 * until the window ends; then what the outcome tells: `replay` status, operation, timeout · `refused` error · `cooldown` ms.
 */
export const admit = new Script("admit", {
  use: [settings],
  body: /* lua */ `
local digest, address, given, call_id, room_id, command, operation, guards, uid, fingerprint = unpack(ARGV)
local epoch = call('GET', A .. 'cur')
if not epoch then return {'key'} end
local t = T(epoch)
local app = call('HMGET', t .. 'app', 'digest', 'rate', 'rev', 'made', 'disabled')
if app[1] ~= digest then return {'key'} end
local default, held, ended, known = given:match('^(%S+) (%d) (%d) (.*)$')
local limit = tonumber(app[2] ~= '0' and app[2] or default)
local operation_id, timeout, cooldown, group, barred
if command then operation_id, timeout, cooldown, group, barred = command:match('^(%S+) (%S+) (%S+) (%S+) (%S+)$') end

-- What is kept of this call or room, if it is one: 2 life, 3 version, 4 operations, 5 facts, 6 JSON, 8 window of the group.
local function kept(id, kind)
  local s = call('HMGET', t .. 's:' .. id, 'k', 'life', 'v', 'ops', 'g', 'j', 'forget', 'c:' .. (group or ''))
  if s[1] ~= kind or (s[7] and tonumber(s[7]) <= now()) then return nil end
  return s
end
local function seen(s) return s and s[2] == 'live' and s[5]:sub(1, 8) ~= 'opening\\31' end

local session = call_id ~= '' and kept(call_id, 's') or nil
local room = room_id ~= '' and kept(room_id, 'r') or nil
local id, subject = call_id, session
if call_id == '' then id, subject = room_id, room end

local window = A .. 'q:' .. address
local count, ends = (call('GET', window) or '0 0'):match('^(%d+) (%d+)$')
local reset = tonumber(ends) - now()
if reset <= 0 then count, reset = 0, 0 end

local function admitted()
  local stamp, j = settings(t, epoch, known, app[3], app[4], app[5])
  local versions, states = '0 0', '\\n'
  if session and session[6] then
    versions, states = session[3] .. ' 0', session[6] .. session[4] .. ']}\\n'
  end
  if room and room[6] then
    versions, states = versions:match('^%S+') .. ' ' .. room[3], states .. room[6] .. room[4] .. ']}'
  end
  return limit .. ' ' .. count .. ' ' .. reset .. ' ' .. versions .. '\\n' .. stamp .. '\\n' .. j .. '\\n' .. states
end

-- Pending already under its own id: the second run of what was admitted is answered as the first, and not counted.
if command and subject and subject[4] and subject[4]:find('"operation_id":"' .. operation_id .. '"', 1, true) then
  return admitted()
end
count = count + 1
if reset > 0 then
  call('SET', window, count .. ' ' .. ends, 'KEEPTTL')
else
  reset = ${QUOTA_MS}
  call('SET', window, '1 ' .. digits(now() + reset), 'PX', reset)
end
if count > limit then return {'quota', limit, count, reset} end
if held == '1' then return {'held', limit, count, reset} end

-- The answer to a uid that was seen, nil to another one.
local function repeated()
  local status, by, timeout, print = (call('HGET', t .. 'u:' .. id, uid) or ''):match('^(%S+) (%S+) (%S+) (.*)$')
  if not status then return nil end
  -- What an end left open is decided by nobody: it does not count as seen.
  if status == '-' and subject[2] ~= 'live' and not (subject[4] or ''):find('"operation_id":"' .. by .. '"', 1, true) then
    return nil
  end
  if print ~= fingerprint then return {'uid_used', limit, count, reset} end
  if status == '-' then return {'uid_busy', limit, count, reset} end
  return {'replay', limit, count, reset, status, by, timeout}
end
if uid and subject and subject[2] ~= 'live' then
  local told = repeated()
  if told then return told end
end

-- Will this one do although it is not seen? As long as anything is remembered of it, where ended ones do at all.
local function remembered(of, kind, s)
  if s then return s[2] ~= 'live' end
  local source = call('HMGET', t .. 'q:' .. of, 'k', 'end')
  if source[2] and tonumber(source[2]) <= now() then return false end
  return source[1] == kind or kind == 'r' and call('EXISTS', t .. 'r:' .. of) == 1
end
local call_seen, room_seen = seen(session), seen(room)
if call_id ~= '' and not call_seen and not (ended == '1' and remembered(call_id, 's', session)) then
  return {'session_gone', limit, count, reset}
end
if room_id ~= '' and not room_seen and not (ended == '1' and remembered(room_id, 'r', room)) then
  return {'room_gone', limit, count, reset}
end
if not command then
  if not call_seen then session = nil end
  if not room_seen then room = nil end
  return admitted()
end

if uid and subject then
  local told = repeated()
  if told then return told end
end
if barred ~= '-' then return {'refused', limit, count, reset, barred} end
if call_seen and guards ~= '' then
  local facts = {session[5]:match('^([^\\31]*)\\31([^\\31]*)\\31([^\\31]*)\\31([^\\31]*)\\31([^\\31]*)\\31')}
  for place, sign, error, values in guards:gmatch('(%d)([=!])([^\\31]*)(\\31[^\\30]*)\\30') do
    local found = values:find('\\31' .. facts[tonumber(place)] .. '\\31', 1, true)
    if (sign == '=') ~= (found ~= nil) then return {'refused', limit, count, reset, error} end
  end
end
if subject and subject[8] then
  local left = tonumber(subject[8]:match('^%d+')) - now()
  if group ~= '-' and left > 0 then return {'cooldown', limit, count, reset, left} end
end

local into = call_seen and session or room_seen and room
if into then
  local of = into == session and call_id or room_id
  local deadline = digits(now() + timeout)
  local text = operation .. deadline .. '}'
  into[4] = into[4] == '' and text or into[4] .. ',' .. text
  into[3] = into[3] + 1
  local key = t .. 's:' .. of
  if group == '-' then
    call('HSET', key, 'v', into[3], 'ops', into[4])
  else
    call('HSET', key, 'v', into[3], 'ops', into[4], 'c:' .. group, digits(now() + cooldown) .. ' ' .. operation_id)
  end
  call('ZADD', A .. 'dl', deadline, of .. ' ' .. operation_id)
  if uid then
    call('HSET', t .. 'u:' .. of, uid, '- ' .. operation_id .. ' ' .. timeout .. ' ' .. fingerprint)
    if call('RPUSH', t .. 'uids', operation_id .. '\\31' .. of .. '\\31' .. uid) > ${UIDS_PER_APP} then
      local by, whose, oldest = call('LPOP', t .. 'uids'):match('^([^\\31]*)\\31([^\\31]*)\\31(.*)$')
      local kept_as = call('HGET', t .. 'u:' .. whose, oldest)
      if kept_as and kept_as:match('^%S+ (%S+)') == by then call('HDEL', t .. 'u:' .. whose, oldest) end
    end
  end
end
if room then call('ZADD', A .. 'idle', 'XX', digits(now()), room_id) end
return admitted()`,
});
