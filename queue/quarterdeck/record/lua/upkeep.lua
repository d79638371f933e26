-- Samples a queue's depth, adds minutes that are over to their hours, each once, and keeps the failed index within its
-- bounds. Where workers of ours are alive it only says so: they do all this themselves.
-- Preludes: index.
-- KEYS[1]  saq:Q:queued, for the cluster slot
-- ARGV[1]  Q
-- ARGV[2]  how many failed jobs are kept, ARGV[3] for how long (ms), unless qd:retention:Q says otherwise
-- ARGV[4]  how many are dropped at most
-- Returns {1 when workers of ours are alive, minutes added, failed jobs dropped}.

local n = names_of(ARGV[1])
if redis.call('ZCOUNT', n.lease, text(now), '+inf') > 0 then return {1, 0, 0} end

local minute = math.floor(now / 60000)
local running = n.minute .. text(minute)
local head = redis.call('LINDEX', n.queued, 0)
redis.call('HSET', running, 'depth', redis.call('LLEN', n.queued))
local queued = head and string.match(redis.call('GETRANGE', head, 0, 4096), '"queued": ?(%d+)')
if queued then redis.call('HSET', running, 'oldest', text(math.max(0, now - tonumber(queued)))) end
redis.call('EXPIRE', running, 93600)

local last = tonumber(redis.call('GET', n.folded) or minute - 61)
local added = 0
for m = math.max(last + 1, minute - 1500), math.min(minute - 1, last + 240) do
  local fields = redis.call('HGETALL', n.minute .. text(m))
  local hour = n.hour .. text(math.floor(m / 60))
  for i = 1, #fields, 2 do
    if fields[i] ~= 'depth' and fields[i] ~= 'oldest' then redis.call('HINCRBY', hour, fields[i], fields[i + 1]) end
  end
  if #fields > 0 then
    redis.call('EXPIRE', hour, 2678400)
    added = added + 1
  end
  last = m
end
redis.call('SET', n.folded, text(last))

local most, dropped = tonumber(ARGV[4]), 0
local age = tonumber(redis.call('HGET', n.retention, 'failed_age_ms') or ARGV[3])
local kept = tonumber(redis.call('HGET', n.retention, 'failed_count') or ARGV[2])
for _, key in ipairs(redis.call('ZRANGEBYSCORE', n.failed, '-inf', text(now - age), 'LIMIT', 0, most)) do
  take_failed(n, key)
  dropped = dropped + 1
end
local over = math.min(redis.call('ZCARD', n.failed) - kept, most)
if over > 0 then
  for _, key in ipairs(redis.call('ZRANGE', n.failed, 0, over - 1)) do
    take_failed(n, key)
    dropped = dropped + 1
  end
end
return {0, added, dropped}
