#!lua flags=allow-oom
-- Adds the minutes that are over to their hours, each once, and trims the failed index to its bounds.
-- Preludes: names, failed.
-- KEYS[1]  saq:Q:queued, for the cluster slot
-- ARGV[1]  Q
-- ARGV[2]  how many failed jobs are kept
-- ARGV[3]  for how long, ms
-- ARGV[4]  how many are dropped at most
-- Returns {minutes added, failed jobs dropped}.

local n = names_of(ARGV[1])
local now = clock_ms()
local minute = math.floor(now / 60000)
local mark = n.folded
local last = tonumber(redis.call('GET', mark) or minute - 61)
local added = 0
for m = math.max(last + 1, minute - 1500), math.min(minute - 1, last + 240) do
  local fields = redis.call('HGETALL', n.minute .. text(m))
  if #fields > 0 then
    local hour = n.hour .. text(math.floor(m / 60))
    for i = 1, #fields, 2 do
      if fields[i] ~= 'depth' and fields[i] ~= 'oldest' then redis.call('HINCRBY', hour, fields[i], fields[i + 1]) end
    end
    redis.call('EXPIRE', hour, 2678400)
    added = added + 1
  end
  last = m
end
redis.call('SET', mark, text(math.max(last, tonumber(redis.call('GET', mark) or 0))))

local dropped = 0
local most = tonumber(ARGV[4])
local old = redis.call('ZRANGEBYSCORE', n.failed, '-inf', text(now - tonumber(ARGV[3])), 'LIMIT', 0, most)
for _, key in ipairs(old) do
  take_failed(n, key)
  dropped = dropped + 1
end
local over = math.min(redis.call('ZCARD', n.failed) - tonumber(ARGV[2]), most)
if over > 0 then
  for _, key in ipairs(redis.call('ZRANGE', n.failed, 0, over - 1)) do
    take_failed(n, key)
    dropped = dropped + 1
  end
end
return {added, dropped}
