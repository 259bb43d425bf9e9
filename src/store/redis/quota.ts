import type { Quota } from "../store";
import type { Context } from "./context";
import { Script } from "./script";

/** → count and ms until the end of its window */
const count = new Script("count", {
  body: /* lua */ `
local count, ends = (call('GET', A) or ''):match('^(%d+) (%d+)$')
if not ends or tonumber(ends) <= now() then count, ends = 0, now() + 1000 end
count = count + 1
call('SET', A, count .. ' ' .. ends, 'PX', ends - now())
return {count, ends - now()}`,
});

/** Counts one admin request of an address, in a fixed window of one second that its first request opens. */
export async function countAdmin({ connection, keys }: Context, address: string, limit: number): Promise<Quota> {
  const answer = await connection.run(count, keys.admin(address));
  const [counted, reset_ms] = Array.isArray(answer) ? answer.map(Number) : [];
  if (counted === undefined || reset_ms === undefined) throw new Error("Redis has counted nothing");
  return { limit, remaining: Math.max(0, limit - counted), reset_ms, exceeded: counted > limit };
}
