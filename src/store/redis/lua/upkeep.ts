/**
 * What a sweep does with the events of one epoch `T` of an app. Piece `upkeep` (it has `sources` and `letters` in it):
 *
 * - `tidy_log(T, most)`: forgets what has outlived its time, no more than `most` of each kind in one step; true when that was all.
 * - `drop_outbox(T, most)`: all that the epoch has told goes, delivered or not: a settlement of what is under way comes too late.
 *   No more than `most` sources in one step, nothing is found any more from the first one on; true when nothing is left.
 */
import { Script } from "../script";
import { letters } from "./letters";
import { sources } from "./sources";

export const upkeep = /* lua */ `
${sources}
${letters}
local function tidy_log(T, most)
  local over, feed, log = T .. 'over', T .. 'feed', T .. 'log'
  local ended = call('ZRANGEBYSCORE', over, '-inf', now(), 'LIMIT', 0, most)
  for _, id in ipairs(ended) do
    local q = call('HMGET', T .. 'q:' .. id, 'tot', 'd')
    -- What is still to be delivered goes with its last settlement.
    if cur_of(q[2]) < whole(q[1]) then call('ZADD', over, 'inf', id) else seldom().forget_source(T, id) end
  end
  local freed, popped = 0, 0
  while popped < most do
    local ref = call('LINDEX', feed, 0)
    if not ref then break end
    local ordinal, length, source = ref:match('^(%d+)\\t%d+\\t(%d+)\\t(.*)$')
    local lo = call('HGET', T .. 'q:' .. source, 'lo')
    if lo and tonumber(lo) <= tonumber(ordinal) then break end
    call('LPOP', feed)
    freed, popped = freed + tonumber(length), popped + 1
  end
  if freed > 0 then call('HINCRBY', log, 'bytes', -freed) end
  return expire_letters(T, most) < most and #ended < most and popped < most
end

local function drop_outbox(T, most)
  local over = T .. 'over'
  call('UNLINK', T .. 'due', T .. 'fly', T .. 'feed', T .. 'dead', T .. 'letters', T .. 'replays', T .. 'log')
  for _, id in ipairs(call('ZRANGE', over, 0, most - 1)) do seldom().forget_source(T, id) end
  return call('EXISTS', over) == 0
end
`;

/** epoch, how many of each kind at most → 1 when there is no more */
export const tidy = new Script("tidy", {
  use: [upkeep],
  body: /* lua */ `return tidy_log(T(ARGV[1]), tonumber(ARGV[2])) and 1 or 0`,
});
