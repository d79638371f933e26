-- Adds new jobs to a queue. Refused by the server when its memory is full.
-- Preludes: names, tell.
-- KEYS[1]  saq:Q:queued, for the cluster slot
-- ARGV[1]  Q
-- ARGV[2]  1 when this is sent again because the answer was lost
-- then for each job three arguments: KEY, payload, epoch s when it is due (0: now)
-- Returns the numbers (from 1) of the jobs refused, because the same key waits, runs or is being aborted.

local n = names_of(ARGV[1])
local refused, ready, ids = {}, {}, {}
local accepted = 0
local soonest
for i = 3, #ARGV, 3 do
  local key, payload, due = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local id = n.prefix .. key
  local again = false
  if ARGV[2] == '1' then
    -- Ours already, waiting, running or done, when it was queued at the same moment.
    local stored = redis.call('GET', id)
    local stamp = stored and string.match(payload, '"queued":%s?%d+')
    again = stamp and string.find(stored, stamp, 1, true)
  end
  if not again then
    if redis.call('ZSCORE', n.incomplete, id) or redis.call('EXISTS', 'saq:abort:' .. key) == 1 then
      refused[#refused + 1] = (i - 3) / 3 + 1
    else
      redis.call('ZADD', n.incomplete, due, id) -- first: it may fail, and then nothing is left behind
      redis.call('SET', id, payload)
      accepted = accepted + 1
      if due == '0' then
        ready[#ready + 1] = id
      elseif not soonest or tonumber(due) < soonest then
        soonest = tonumber(due)
      end
    end
  end
end
if #ready > 0 then redis.call('RPUSH', n.queued, unpack(ready)) end
if accepted > 0 then
  local minute = n.minute .. math.floor(clock_ms() / 60000)
  if redis.call('HINCRBY', minute, 'in', accepted) == accepted then redis.call('EXPIRE', minute, 93600) end
end
if soonest then
  -- Workers look for due jobs once a second: one of them is told of what is due before that.
  local now = clock_ms()
  local alive = soonest * 1000 < now + 1000 and redis.call('ZREVRANGEBYSCORE', n.lease, '+inf', text(now), 'LIMIT', 0, 1)
  if alive and alive[1] then tell(n, alive[1], 'due', n.queue) end
end
return refused
