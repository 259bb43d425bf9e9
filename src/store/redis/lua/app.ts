/**
 * Scripts on the settings of one app. `A cur`: the epoch of the present app; `A epoch`: counts them; `A all`: SET of the epochs
 * of which anything is left; `A closed`: HASH nonce of a deletion → epoch.
 */
import { Script } from "../script";

/** Old signing secrets of an app that sign at the same time, however often the secret is rotated. */
const OLD_SECRETS = 4;

/** → j, disabled, sid, epoch; nil: no such app */
export const read = new Script("read", {
  body: /* lua */ `
local epoch = call('GET', A .. 'cur')
if not epoch then return false end
local app = call('HMGET', T(epoch) .. 'app', 'j', 'disabled', 'sid')
app[4] = epoch
return app`,
});

/** digest → 1 when it is that of the app's key */
export const authenticate = new Script("authenticate", {
  body: /* lua */ `
local epoch = call('GET', A .. 'cur')
return epoch and call('HGET', T(epoch) .. 'app', 'digest') == ARGV[1] and 1 or 0`,
});

/**
 * settings as JSON, url, rate, digest or "", digest of a new app, sealed secret, its name, ms until which this may be done
 * → "created" or "replaced", j, disabled; "late"
 */
export const put = new Script("put", {
  body: /* lua */ `
local settings, url, rate, digest, first_digest, sealed, sid, before = unpack(ARGV)
if now() > tonumber(before) then return {'late'} end
-- A time, so that settings which a failover has lost do not share theirs with those that come after it.
local function revision(before) return digits(math.max(before + 1, micros())) end
local function form(made) return settings:sub(1, -2) .. ',"created_at":' .. made .. '}' end
local epoch = call('GET', A .. 'cur')
if epoch then
  local app = T(epoch) .. 'app'
  local kept = call('HMGET', app, 'sid', 'made', 'j', 'disabled', 'rev')
  if kept[1] == sid then return {'created', kept[3], kept[4]} end
  local j = form(kept[2])
  call('HSET', app, 'j', j, 'url', url, 'rate', rate, 'disabled', '', 'rev', revision(tonumber(kept[5])))
  if digest ~= '' then call('HSET', app, 'digest', digest) end
  return {'replaced', j}
end
epoch = digits(call('INCR', A .. 'epoch'))
call('PERSIST', A .. 'epoch')
local made = digits(now())
local j = form(made)
call('HSET', T(epoch) .. 'app', 'j', j, 'url', url, 'rate', rate, 'disabled', '', 'rev', revision(0), 'made', made,
  'digest', digest ~= '' and digest or first_digest, 'secret', sealed, 'sid', sid, 'old', '', 'closing', '', 'until', '')
call('SADD', A .. 'all', epoch)
call('SET', A .. 'cur', epoch)
return {'created', j}`,
});

/** sealed secret, its name, ms for which the old one signs → 1; 0: no such app */
export const rotate = new Script("rotate", {
  body: /* lua */ `
local epoch = call('GET', A .. 'cur')
if not epoch then return 0 end
local app = T(epoch) .. 'app'
local kept = call('HMGET', app, 'secret', 'sid', 'old')
if kept[2] == ARGV[2] then return 1 end
local old = {{secret = kept[1], ['until'] = now() + tonumber(ARGV[3])}}
if kept[3] ~= '' then
  for _, each in ipairs(cjson.decode(kept[3])) do
    if each['until'] > now() and #old < ${OLD_SECRETS} then old[#old + 1] = each end
  end
end
call('HSET', app, 'secret', ARGV[1], 'sid', ARGV[2], 'old', cjson.encode(old))
return 1`,
});

/**
 * nonce, ms that its calls and its queue have, mark → j, mark of the first run, how many calls, their ids, ids of its rooms;
 * nil: no such app
 */
export const close = new Script("close", {
  body: /* lua */ `
local epoch = call('HGET', A .. 'closed', ARGV[1])
if not epoch then
  epoch = call('GET', A .. 'cur')
  if not epoch then return false end
  call('HSET', A .. 'closed', ARGV[1], epoch)
  call('DEL', A .. 'cur')
  call('HSET', T(epoch) .. 'app', 'closing', '1', 'mark', ARGV[3], 'until', digits(now() + tonumber(ARGV[2])))
end
local t = T(epoch)
local answer = call('HMGET', t .. 'app', 'j', 'mark')
local sessions = call('ZRANGE', t .. 'live', 0, -1)
answer[3] = #sessions
for _, ids in ipairs({sessions, call('ZRANGE', t .. 'rooms', 0, -1)}) do
  for _, id in ipairs(ids) do answer[#answer + 1] = id end
end
return answer`,
});
