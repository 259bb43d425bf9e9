/**
 * Piece `settings`: `settings(t, epoch, known, rev, made, disabled)` answers the stamp of an app's settings and, unless that is the
 * `known` one, their JSON; else two empty texts. The last three are fields of `t app`. A stamp is `epoch rev made disabled`:
 * who has the settings of this stamp need not be told them again, which matters for those that list a thousand numbers.
 */
export const settings = /* lua */ `
local function settings(t, epoch, known, rev, made, disabled)
  local stamp = epoch .. ' ' .. rev .. ' ' .. made .. ' ' .. disabled
  if stamp == known then return '', '' end
  return stamp, call('HGET', t .. 'app', 'j')
end
`;
