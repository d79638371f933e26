-- A claim to do something once.
-- KEYS[1]  qd:once:NAME, a string: `running TOKEN` while somebody does it, `done RESULT` afterwards
-- ARGV[1]  what: claim, keep, done, release
-- ARGV[2]  the claimant's token
-- ARGV[3]  claim, keep: how long the claim holds in ms; done: how long the result is kept in ms
-- ARGV[4]  done: the result as JSON
-- Returns {mine, result or ''} for a claim that was given, {done, result}, {running, ms until it ends} when somebody
--   else is at it, {lost, ''} when a claim ended before its holder was done.

local mine = 'running ' .. ARGV[2]
local stored = redis.call('GET', KEYS[1])

if ARGV[1] == 'claim' then
  if not stored or stored == mine then
    redis.call('SET', KEYS[1], mine, 'PX', ARGV[3])
    return {'mine', ''}
  end
  if string.sub(stored, 1, 5) == 'done ' then return {'done', string.sub(stored, 6)} end
  return {'running', redis.call('PTTL', KEYS[1])}
end

if stored ~= mine then return {'lost', ''} end
if ARGV[1] == 'keep' then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
elseif ARGV[1] == 'done' then
  redis.call('SET', KEYS[1], 'done ' .. ARGV[4], 'PX', ARGV[3])
else
  redis.call('DEL', KEYS[1])
end
return {'mine', ''}
