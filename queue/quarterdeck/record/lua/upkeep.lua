-- Samples a queue's depth, adds minutes that are over to their hours, each once, and keeps history, failed jobs and
-- quarantine within their bounds. Where workers of ours are alive it only says so: they do all this themselves.
-- Preludes: names, failed, keeping.
-- KEYS[1]  saq:Q:queued, for the cluster slot
-- ARGV[1]  Q
-- ARGV[2]  how many are dropped at most, of failed jobs and of garbage
-- ARGV[3..11]  the bounds, as in the engine's fold.lua
-- Returns {1 when workers of ours are alive, minutes added, failed jobs dropped}.

local n = names_of(ARGV[1])
local now = clock_ms()
if redis.call('ZCOUNT', n.lease, text(now), '+inf') > 0 then return {1, 0, 0} end

local running = n.minute .. text(math.floor(now / 60000))
local head = redis.call('LINDEX', n.queued, 0)
redis.call('HSET', running, 'depth', redis.call('LLEN', n.queued))
local queued = head and string.match(redis.call('GETRANGE', head, 0, 4096), '"queued": ?(%d+)')
if queued then redis.call('HSET', running, 'oldest', text(math.max(0, now - tonumber(queued)))) end
redis.call('EXPIRE', running, 93600)

local added = add_minutes(n, now)
local dropped = keep_bounds(n, now, tonumber(ARGV[2]), 3)
return {0, added, dropped}
