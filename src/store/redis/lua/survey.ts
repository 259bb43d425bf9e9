/** What a sweep finds in an app, and how it takes away what is left of a deleted one. */
import { Script } from "../script";
import { upkeep } from "./upkeep";

/** How long the epochs of a deleted app go on being counted, so that nobody takes what was of the old one for the new one's. */
const COUNTED_MS = 2_592_000_000;

/**
 * → 1 when something of the app is alive, waits or is about to go, then for each epoch of which anything is left: the epoch, and
 * `over` when the app was deleted and its time has come, `due` when something has outlived its time, or `kept`.
 */
export const survey = new Script("survey", {
  body: /* lua */ `
local busy, found = 0, {}
for _, epoch in ipairs(call('SMEMBERS', A .. 'all')) do
  local t = T(epoch)
  local ends = call('HGET', t .. 'app', 'until')
  local state = 'kept'
  if ends and ends ~= '' then
    busy = 1
    if tonumber(ends) <= now() then state = 'over' end
  elseif call('EXISTS', t .. 'live', t .. 'rooms', t .. 'closing', t .. 'closingrooms', t .. 'due', t .. 'fly') > 0 then
    busy = 1
  end
  if state == 'kept' then
    for _, each in ipairs({'closing', 'closingrooms', 'ended', 'over'}) do
      if #call('ZRANGEBYSCORE', t .. each, '-inf', now(), 'LIMIT', 0, 1) > 0 then state = 'due' end
    end
  end
  found[#found + 1] = epoch
  found[#found + 1] = state
end
if #found == 0 and call('PTTL', A .. 'epoch') == -1 then call('PEXPIRE', A .. 'epoch', ${COUNTED_MS}) end
return {busy, unpack(found)}`,
});

/** epoch, how many sources at most → 1 when nothing that it has told is left */
export const dropOutbox = new Script("drop_outbox", {
  use: [upkeep],
  body: /* lua */ `return drop_outbox(T(ARGV[1]), tonumber(ARGV[2])) and 1 or 0`,
});

/** epoch: the last that is left of it */
export const dropApp = new Script("drop_app", {
  body: /* lua */ `
call('DEL', T(ARGV[1]) .. 'app')
call('SREM', A .. 'all', ARGV[1])
local closed = call('HGETALL', A .. 'closed')
for i = 1, #closed, 2 do
  if closed[i + 1] == ARGV[1] then call('HDEL', A .. 'closed', closed[i]) end
end
return 1`,
});

/** ms, apps: those that were not marked for so long are taken out of the list */
export const unlist = new Script("unlist", {
  body: /* lua */ `
for i = 2, #ARGV do
  local at = call('ZSCORE', A, ARGV[i])
  if at and tonumber(at) <= now() - tonumber(ARGV[1]) then call('ZREM', A, ARGV[i]) end
end
return 1`,
});
