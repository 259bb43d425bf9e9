/** The clock of the Redis server, as a Lua expression: microseconds since the epoch. */
export const serverClock = "(function() local t = redis.call('TIME') return t[1] * 1000000 + t[2] end)()";

/**
 * What every script begins with:
 *
 * - `A`: the key that the script was called with, which is what all keys of its slot begin with; of an app `Keys.app`.
 * - `T(epoch)`: what the keys of one epoch of the app begin with.
 * - `micros()`, `now()`: microseconds and milliseconds since the epoch, the same during the whole script.
 * - `digits(number)`: a whole number as text. `..` and `tostring` keep 14 digits, which is enough for milliseconds and too
 *   little for microseconds; what is passed to `call` or returned as a number keeps all up to 2^53.
 * - `call`: `redis.call`.
 *
 * @param clock a Lua expression: microseconds since the epoch
 */
export function prelude(clock: string): string {
  return /* lua */ `
local A = KEYS[1]
local call = redis.call
local function T(epoch) return A .. epoch .. ':' end
local moment
local function micros()
  if not moment then moment = ${clock} end
  return moment
end
local function now() return math.floor(micros() / 1000) end
local function digits(number) return string.format('%d', number) end
`;
}
