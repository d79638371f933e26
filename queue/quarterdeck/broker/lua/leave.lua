#!lua flags=allow-oom
-- The orderly end of a worker that holds nothing any more.
-- Preludes: names.
-- KEYS[i]  saq:Q:queued of each queue
-- ARGV[1]  worker id
-- ARGV[2]  the id under which SAQ's record of it is kept
-- ARGV[3]  number of queues, then their names
-- Returns how many jobs it still holds (they are rescued at once by others, its lease being gone).

local worker = ARGV[1]
local held = 0
for i = 4, 3 + tonumber(ARGV[3]) do
  local n = names_of(ARGV[i])
  redis.call('ZREM', n.lease, worker)
  redis.call('HDEL', n.workers, worker)
  redis.call('HDEL', n.fence, worker)
  redis.call('DEL', n.worker_info .. ARGV[2], n.control .. worker)
  redis.call('ZREM', n.stats, n.worker_info .. ARGV[2])
  local owners = redis.call('HVALS', n.owner)
  for _, owner in ipairs(owners) do
    if string.sub(owner, 1, #worker + 1) == worker .. '/' then held = held + 1 end
  end
end
return held
