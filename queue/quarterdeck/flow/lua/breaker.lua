-- A circuit breaker: closed, open for a while after too many failures, then half open for one try.
-- KEYS[1]  qd:breaker:NAME, a hash: failures, first (ms of the first failure counted), opened (ms), probe (ms)
-- ARGV[1]  what happened: ask, ok, failed
-- ARGV[2]  how many failures within the window open it
-- ARGV[3]  the window in ms
-- ARGV[4]  how long it stays open in ms; a try that does not report back is given up after this time too
-- Returns {closed, open or half-open; ms until a try is allowed again, 0 when it is}.

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local key = KEYS[1]
local limit, window, cool = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local state = redis.call('HMGET', key, 'failures', 'first', 'opened', 'probe')
local failures, first = tonumber(state[1] or 0), tonumber(state[2] or 0)
local opened, probe = tonumber(state[3] or 0), tonumber(state[4] or 0)

local function store(...)
  redis.call('HSET', key, ...)
  redis.call('PEXPIRE', key, string.format('%.0f', math.max(window, cool) * 2))
end

if ARGV[1] == 'ok' then
  redis.call('DEL', key)
  return {'closed', 0}
end

if ARGV[1] == 'failed' then
  if opened > 0 or failures + 1 >= limit and (failures == 0 or now - first < window) then
    store('opened', string.format('%.0f', now), 'probe', 0)
    return {'open', cool}
  end
  if failures == 0 or now - first >= window then
    store('failures', 1, 'first', string.format('%.0f', now))
  else
    store('failures', failures + 1)
  end
  return {'closed', 0}
end

if opened == 0 then return {'closed', 0} end
local wait = opened + cool - now
if wait > 0 then return {'open', wait} end
if probe > 0 and now - probe < cool then return {'open', probe + cool - now} end
store('probe', string.format('%.0f', now))
return {'half-open', 0}
