#!lua flags=allow-oom
-- Brings delayed jobs that are due to the tail of their queue, by the server's clock.
-- Preludes: names.
-- KEYS[1]  saq:Q:queued, for the cluster slot
-- ARGV[1]  Q
-- ARGV[2]  how many at most
-- ARGV[3]  SAQ's lock in s: one promotion in that time by all who ask; 0 for none
-- Returns {the IDs that were brought, ms until the next is due (-1: none waits)}.

local n = names_of(ARGV[1])
if ARGV[3] ~= '0' and not redis.call('SET', n.schedule_lock, '1', 'NX', 'EX', ARGV[3]) then return {{}, -1} end
local now = clock_ms()
local most = tonumber(ARGV[2])
local ids = redis.call('ZRANGEBYSCORE', n.incomplete, '(0', string.format('%.3f', now / 1000), 'LIMIT', 0, most)
if #ids > 0 then
  local zeros = {}
  for _, id in ipairs(ids) do
    zeros[#zeros + 1] = 0
    zeros[#zeros + 1] = id
  end
  redis.call('RPUSH', n.queued, unpack(ids))
  redis.call('ZADD', n.incomplete, unpack(zeros))
end
local next_ms = -1
local nearest = redis.call('ZRANGEBYSCORE', n.incomplete, '(0', '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
if nearest[2] then next_ms = math.max(0, math.ceil(tonumber(nearest[2]) * 1000 - now)) end
return {ids, next_ms}
