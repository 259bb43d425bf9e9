/**
 * Writing of events, in the same script as the state that they tell of. The keys are described at `sources`.
 *
 * Piece `publish` (it has `sources` in it):
 *
 * - `publish(T, id, kind, wanted, from, to)`: the call (`kind` 's') or room ('r') `id` of the epoch `T` has told what stands in
 *   `ARGV[from..to]`, each an event packed by `packed` of records.ts; none at all (`to < from`) is fine. `wanted`: the app has a
 *   webhook_url, so that they are queued for delivery; else they are only kept. An event that names a room goes into the list
 *   of that room as well when `T s:<room_id>` has `k` 'r' and a `life` that is not 'ended'.
 * - `source_over(T, id, retention_ms)`: a call or room has told its last: with the end of its life, after `publish`, and once
 *   more when it is forgotten without ever having ended (of what is over nothing changes). What it told is read for that time
 *   more, and goes when all of it was delivered, too.
 *
 * When webhooks are turned off, or the app is closed, there is nothing to do: `turn` takes all that waits, whatever its time.
 */
import { nothing, sources } from "./sources";

/** The feed of an app forgets the oldest when it has more references than this. */
const LOGGED = 100_000;
/** The same in bytes of what they refer to. */
const LOGGED_BYTES = 67_108_864;

export const publish = /* lua */ `
${sources}
local function publish(T, id, kind, wanted, from, to)
  if to < from then return end
  local key, log, ms = T .. 'q:' .. id, T .. 'log', now()
  local q = call('HMGET', key, 'tot', 'd')
  local tot = whole(q[1])
  local waiting = cur_of(q[2]) < tot
  if waiting and not wanted then seldom().forgo(T, id) end
  local c = call('HMGET', log, 'last', 'bytes', 'n', 'b', 'tick')
  local last, bytes, tick = whole(c[1]), whole(c[2]), whole(c[5])

  local records, refs, rooms, added = {}, {}, nil, 0
  local stamp = digits(ms)
  for i = from, to do
    local event = ARGV[i]
    last = last + 1
    records[#records + 1] = digits(last) .. '\\t' .. stamp .. '\\t' .. event
    local ordinal = digits(tot)
    refs[#refs + 1] = ordinal .. '\\t' .. stamp .. '\\t' .. digits(#event) .. '\\t' .. id
    added = added + #event
    local room = kind == 'r' and id or event:match('^%d+\\t([^\\t]+)\\t')
    if room then
      rooms = rooms or {}
      local there = rooms[room] or {}
      there[#there + 1] = ordinal .. '\\t' .. id
      rooms[room] = there
    end
    tot = tot + 1
  end
  local kept
  if #records == 1 then
    call('RPUSH', T .. 'e:' .. id, records[1])
    kept = call('RPUSH', T .. 'feed', refs[1])
  else
    seldom().append(T .. 'e:' .. id, records)
    kept = seldom().append(T .. 'feed', refs)
  end
  if not q[1] then
    call('HSET', key, 'k', kind, 'lo', '0')
    call('ZADD', T .. 'over', 'NX', 'inf', id)
  end
  local n, b = whole(c[3]), whole(c[4])
  if wanted then
    call('HSET', key, 'tot', digits(tot))
    if not waiting then
      tick = tick + 1
      call('ZADD', T .. 'due', digits(ms * 1000 + tick % 1000), id)
    end
    n, b = n + #records, b + added
  else
    local d = digits(tot) .. '${nothing.slice(1)}'
    if waiting and call('ZSCORE', T .. 'fly', id) then
      local before, behind = call('HGET', key, 'd'):match('^(%d+ %d+ )%d+(.*)$')
      d = before .. digits(tot) .. behind
    end
    call('HSET', key, 'tot', digits(tot), 'd', d)
  end
  for room, there in pairs(rooms or {}) do seldom().tell_room(T, room, there, room == id) end

  bytes = bytes + added
  while kept > ${LOGGED} or bytes > ${LOGGED_BYTES} do
    local ref = call('LPOP', T .. 'feed')
    if not ref then
      bytes = 0
      break
    end
    local ordinal, length, source = ref:match('^(%d+)\\t%d+\\t(%d+)\\t(.*)$')
    kept, bytes = kept - 1, bytes - tonumber(length)
    seldom().let_go(T, source, tonumber(ordinal))
  end
  call('HSET', log, 'last', digits(last), 'bytes', digits(bytes), 'n', digits(n), 'b', digits(b), 'tick', digits(tick))
end

local function source_over(T, id, retention_ms)
  local key, over = T .. 'q:' .. id, T .. 'over'
  if not call('ZSCORE', over, id) or call('HEXISTS', key, 'end') == 1 then return end
  local ends = digits(now() + retention_ms)
  call('HSET', key, 'end', ends)
  call('ZADD', over, ends, id)
end
`;
