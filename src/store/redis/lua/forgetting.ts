/** How calls and rooms are forgotten. The keys are described at `subject`. */
import { Script } from "../script";
import { ENDED_PER_APP } from "./commit";
import { subject } from "./subject";

/** epoch, how many at most → ids of those whose time is over, and of those that are too many */
export const overdone = new Script("overdone", {
  body: /* lua */ `
local t, most = T(ARGV[1]), tonumber(ARGV[2])
local ids = {}
for _, each in ipairs({'closing', 'closingrooms', 'ended'}) do
  for _, id in ipairs(call('ZRANGEBYSCORE', t .. each, '-inf', digits(now()), 'LIMIT', 0, most - #ids)) do
    ids[#ids + 1] = id
  end
end
local over = math.min(call('ZCARD', t .. 'ended') - ${ENDED_PER_APP}, most)
if #ids == 0 and over > 0 then return call('ZRANGE', t .. 'ended', 0, over - 1) end
return ids`,
});

/** epoch, how many at most → ids of calls and rooms, whatever has become of them */
export const whoever = new Script("whoever", {
  body: /* lua */ `
local t, most = T(ARGV[1]), tonumber(ARGV[2])
local ids = {}
for _, each in ipairs({'live', 'rooms', 'closing', 'closingrooms', 'ended'}) do
  for _, id in ipairs(call('ZRANGE', t .. each, 0, most - #ids - 1)) do ids[#ids + 1] = id end
  if #ids >= most then break end
end
return ids`,
});

/**
 * epoch, retention_ms, ids → 1. Takes away as well what the list of uids begins with and nobody remembers: as much as there
 * are ids, and a few more.
 */
export const forget = new Script("forget", {
  use: [subject],
  body: /* lua */ `
local t = T(ARGV[1])
for i = 3, #ARGV do forget_subject(t, ARGV[i], ARGV[2]) end
for _ = 1, 100 + 4 * #ARGV do
  local oldest = call('LINDEX', t .. 'uids', 0)
  if not oldest then break end
  local by, whose, uid = oldest:match('^([^\\31]*)\\31([^\\31]*)\\31(.*)$')
  local kept = call('HGET', t .. 'u:' .. whose, uid)
  if kept and kept:match('^%S+ (%S+)') == by then break end
  call('LPOP', t .. 'uids')
end
return 1`,
});

/** epoch → 1 when nothing is left of its calls and rooms: then what is about all of them goes, too */
export const clear = new Script("clear", {
  use: [subject],
  body: /* lua */ `
local t = T(ARGV[1])
if alive(t) or call('EXISTS', t .. 'ended') == 1 then return 0 end
call('UNLINK', t .. 'names', t .. 'uids')
return 1`,
});
