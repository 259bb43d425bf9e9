/**
 * What a call or room has told, of one epoch `T` of an app: log and queue in one.
 *
 * - `T e:<source>` LIST of its records, the oldest first. Each has an ordinal, counted from 0 over all it ever told. A record is
 *   `position \t ms of the commit \t sequence \t room_id or "" \t created_at \t event \t id or "" \n body`; the id is left out
 *   when it is `<source>.<sequence>`.
 * - `T q:<queue>` HASH. Of a source: `k` s or r, `tot` how many records there were, `lo` ordinal of the first one kept, `keep` those
 *   below it go once nobody has to deliver them, `end` ms from which nobody reads it any more, `rb` how many references its list
 *   as a room has lost in front. Of its delivery `d`: `cur attempts skip token sequence bytes mode revision`, the ordinal of what
 *   is delivered next, the attempts made at it, the ordinal below which nothing behind it is sent, then of the last hand-out.
 *   A queue `replay:<webhook id>` has `d` and `since`, from its first hand-out on.
 * - `T feed` LIST of references to all records in the order of the commits, the last one to the record of position `last`:
 *   `ordinal \t ms of the commit \t bytes \t source`.
 * - `T r:<room_id>` LIST of references to what stands in a room's list: `ordinal \t source`.
 * - `T over` ZSET: each source (and queue of a replay) of which there is anything → ms at which it may be forgotten, or inf.
 * - `T log` HASH: `last` position, `bytes` of what the feed refers to, `n` and `b`: events and bytes not delivered yet, `tick`: counts
 *   hand-outs and what becomes due, `lb` bytes of the dead letters.
 */

/** How many records are written or taken out at once. */
const CHUNK = 100;
/** `d` of a queue of which nothing was handed out yet. */
export const nothing = "0 0 0 0 0 0 n 0";

/**
 * Piece: what the scripts on events have in common. Each function costs a script some time in which it is made, whether it is
 * called or not: those that nearly no commit needs are made by the first call of `seldom()`.
 */
export const sources = /* lua */ `
local function whole(text) return text and tonumber(text) or 0 end

local function cur_of(d) return d and tonumber(d:match('^%d+')) or 0 end

local made
local function seldom()
  if made then return made end
  made = {}

  -- A list of any length grows by values of any number: answers its length.
  function made.append(list, values)
    local length
    for i = 1, #values, ${CHUNK} do
      length = call('RPUSH', list, unpack(values, i, math.min(i + ${CHUNK - 1}, #values)))
    end
    return length
  end

  -- A room's list loses those in front whose records are gone.
  function made.trim_room(T, room)
    local list, gone = T .. 'r:' .. room, 0
    while true do
      local ref = call('LINDEX', list, 0)
      if not ref then break end
      local ordinal, source = ref:match('^(%d+)\\t(.*)$')
      local lo = call('HGET', T .. 'q:' .. source, 'lo')
      if lo and tonumber(lo) <= tonumber(ordinal) then break end
      call('LPOP', list)
      gone = gone + 1
    end
    if gone > 0 then call('HINCRBY', T .. 'q:' .. room, 'rb', gone) end
  end

  -- Its own events, or those of calls that name it: of these a room takes none that is over, or was never there.
  function made.tell_room(T, room, refs, own)
    if not own then
      local s = call('HMGET', T .. 's:' .. room, 'k', 'life')
      if s[1] ~= 'r' or s[2] == 'ended' then return end
    end
    if made.append(T .. 'r:' .. room, refs) == #refs then call('ZADD', T .. 'over', 'NX', 'inf', room) end
    made.trim_room(T, room)
  end

  -- Deletes the records in front that the log has given up, as far as nobody has to deliver them.
  function made.trim(T, id, lo, keep, cur)
    local to = math.min(keep, cur)
    if lo >= to then return end
    local rooms = {}
    for from = lo, to - 1, ${CHUNK} do
      for _, record in ipairs(call('LPOP', T .. 'e:' .. id, math.min(to - from, ${CHUNK})) or {}) do
        local room = record:match('^%d+\\t%d+\\t%d+\\t([^\\t]+)\\t')
        if room then rooms[room] = true end
      end
    end
    call('HSET', T .. 'q:' .. id, 'lo', to)
    if call('HGET', T .. 'q:' .. id, 'k') == 'r' then rooms[id] = true end
    for room in pairs(rooms) do made.trim_room(T, room) end
  end

  -- The log gives up what this source told up to this ordinal.
  function made.let_go(T, id, ordinal)
    local key = T .. 'q:' .. id
    local q = call('HMGET', key, 'lo', 'd')
    if not q[1] or tonumber(q[1]) > ordinal then return end
    call('HSET', key, 'keep', ordinal + 1)
    made.trim(T, id, tonumber(q[1]), ordinal + 1, cur_of(q[2]))
  end

  function made.forget_source(T, id)
    call('UNLINK', T .. 'e:' .. id, T .. 'q:' .. id, T .. 'r:' .. id)
    call('ZREM', T .. 'over', id)
  end

  -- So many events fewer wait.
  function made.count_off(T, events, bytes)
    local log = T .. 'log'
    if call('HINCRBY', log, 'n', -events) > 0 then
      call('HINCRBY', log, 'b', -bytes)
    else
      call('HSET', log, 'n', 0, 'b', 0)
    end
  end

  -- What waits in the queue of a source is not sent any more, but for what is under way. How many bytes these are is told by the
  -- average of the app: they may be too many to be looked at one by one, and nothing waits there any more in a moment.
  function made.forgo(T, id)
    local key = T .. 'q:' .. id
    local q = call('HMGET', key, 'tot', 'd', 'lo', 'keep')
    local tot = whole(q[1])
    local cur, attempts, skip, handed_out = (q[2] or '${nothing}'):match('^(%d+) (%d+) (%d+) (.*)$')
    cur = tonumber(cur)
    if cur >= tot then return end
    local events = tot - math.max(cur + 1, tonumber(skip))
    if call('ZSCORE', T .. 'fly', id) then
      skip = tot
    else
      call('ZREM', T .. 'due', id)
      events, cur, attempts, skip = events + 1, tot, 0, 0
    end
    local waiting = call('HMGET', T .. 'log', 'n', 'b')
    made.count_off(T, events, math.floor(whole(waiting[2]) * events / math.max(whole(waiting[1]), 1)))
    call('HSET', key, 'd', cur .. ' ' .. attempts .. ' ' .. skip .. ' ' .. handed_out)
    made.trim(T, id, whole(q[3]), whole(q[4]), cur)
  end

  return made
end
`;
