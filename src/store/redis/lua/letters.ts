/**
 * Dead letters of one epoch `T` of an app: `T dead` ZSET webhook id → the number by which it is listed, microseconds of its death;
 * `T letters` HASH webhook id → `died_at \t attempts \t source \n record`. One that is replayed stands in `letters` alone until
 * it was delivered or dies again, and `replay:<webhook id>` is its queue. `T replays` LIST of `nonce answer`, the last ones.
 */

/** The oldest dead letter of an app is forgotten when it would keep more. */
const LETTERS = 10_000;
/** The same in bytes. */
const LETTER_BYTES = 33_554_432;
const KEEP_MS = 7 * 86_400_000;

/** Piece; needs `sources`. */
export const letters = /* lua */ `
-- Numbers of dead letters below this one are too old.
local function letters_from() return (now() - ${KEEP_MS} + 1) * 1000 end

local function webhook_id(record, source)
  local sequence, id = record:match('^%d+\\t%d+\\t(%d+)\\t[^\\t]*\\t%d+\\t[^\\t]*\\t([^\\n]*)\\n')
  return id ~= '' and id or source .. '.' .. sequence
end

-- Forgets letters of these ids, which are not listed any more. Answers their bytes.
local function burn(T, ids)
  local bytes = 0
  for _, id in ipairs(ids) do
    bytes = bytes + call('HSTRLEN', T .. 'letters', id)
    call('HDEL', T .. 'letters', id)
  end
  return bytes
end

-- No more than so many. Answers how many.
local function expire_letters(T, most)
  local dead = T .. 'dead'
  local old = call('ZRANGEBYSCORE', dead, '-inf', '(' .. digits(letters_from()), 'LIMIT', 0, most)
  if #old == 0 then return 0 end
  call('ZREM', dead, unpack(old))
  call('HINCRBY', T .. 'log', 'lb', -burn(T, old))
  return #old
end

local function bury(T, source, record, attempts)
  local dead, all, log = T .. 'dead', T .. 'letters', T .. 'log'
  local id = webhook_id(record, source)
  local letter = now() .. '\\t' .. attempts .. '\\t' .. source .. '\\n' .. record
  local bytes = #letter
  if call('ZSCORE', dead, id) then bytes = bytes - call('HSTRLEN', all, id) end
  local last = call('ZRANGE', dead, -1, -1, 'WITHSCORES')[2]
  call('HSET', all, id, letter)
  call('ZADD', dead, math.max(micros(), whole(last) + 1), id)
  local kept = call('HINCRBY', log, 'lb', bytes)
  local count = call('ZCARD', dead)
  while count > ${LETTERS} or (kept > ${LETTER_BYTES} and count > 0) do
    kept = call('HINCRBY', log, 'lb', -burn(T, {call('ZPOPMIN', dead)[1]}))
    count = count - 1
  end
end
`;
