/** How calls and rooms begin. The keys are described at `subject`. Whoever is there already is a repeat. */
import { Script } from "../script";
import { subject } from "./subject";

/** Rooms of an app that have not ended. */
const ROOMS_PER_APP = 1000;

const begin = /* lua */ `
local id, epoch, j, ops, g, created_at = unpack(ARGV)
local t = T(epoch)
local key = t .. 's:' .. id
local forget = call('HMGET', key, 'k', 'forget')
if forget[1] and not is_over(forget[2]) then return {'made'} end
if call('GET', A .. 'cur') ~= epoch then return {'no_app'} end
`;

/** call, epoch, JSON, operations, facts, created_at, retention_ms, its events → made; no_app */
export const createSession = new Script("createSession", {
  use: [subject],
  body: /* lua */ `
${begin}
if forget[1] then forget_subject(t, id, ARGV[7]) end
call('HSET', key, 'k', 's', 'life', 'live', 'v', 1, 'j', j, 'ops', ops, 'g', g)
call('ZADD', t .. 'live', created_at, id)
local room = fact(g, 2)
if room ~= '' then enter_room(t, room, id, fact(g, 6)) end
publish(t, id, 's', call('HGET', t .. 'app', 'url') ~= '', 8, #ARGV)
return {'made'}`,
});

/** room, epoch, JSON, operations, facts, created_at, retention_ms, name → made; no_app; full; name_taken and whose it is */
export const createRoom = new Script("createRoom", {
  use: [subject],
  body: /* lua */ `
${begin}
local holder = call('HGET', t .. 'names', ARGV[8])
if holder then return {'name_taken', holder} end
if call('ZCARD', t .. 'rooms') + call('ZCARD', t .. 'closingrooms') >= ${ROOMS_PER_APP} then return {'full'} end
if forget[1] then forget_subject(t, id, ARGV[7]) end
call('HSET', key, 'k', 'r', 'life', 'live', 'v', 1, 'j', j, 'ops', ops, 'g', g)
call('ZADD', t .. 'rooms', created_at, id)
call('HSET', t .. 'names', ARGV[8], id)
if call('EXISTS', t .. 'm:' .. id) == 0 then call('ZADD', A .. 'idle', now(), id) end
return {'made'}`,
});
