#!lua flags=allow-oom
-- After calls without an answer: makes them void, and gives back what they took.
-- Preludes: names, payload.
-- KEYS[i]  saq:Q:queued of each queue, home first
-- ARGV[1]  worker id
-- ARGV[2]  the first token without an answer
-- ARGV[3]  the last token sent
-- ARGV[4]  number of queues, then their names, home first
-- Returns the last token that was carried out: settlements of later ones did not happen.

local worker, from, upto = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local home = names_of(ARGV[5])
redis.call('HSET', home.fence, worker, text(upto))
for q = 5, 4 + tonumber(ARGV[4]) do
  local n = names_of(ARGV[q])
  local mine = {}
  local owners = redis.pcall('HGETALL', n.owner)
  for i = 1, #owners, 2 do
    local who, token = string.match(owners[i + 1], '^(.*)/(%d+)/%d+$')
    if who == worker and tonumber(token) >= from and tonumber(token) <= upto then mine[owners[i]] = true end
  end
  local active = redis.pcall('LRANGE', n.active, 0, -1)
  for i = #active, 1, -1 do
    local id = active[i]
    if mine[id] then
      mine[id] = nil
      local payload = redis.call('GET', id)
      local waiting = payload and unmark(payload)
      if waiting then redis.call('SET', id, waiting) end
      redis.call('LREM', n.active, 1, id)
      redis.call('LPUSH', n.queued, id)
      redis.call('ZADD', n.incomplete, 0, id)
      redis.call('HDEL', n.owner, id)
    end
  end
  for id in pairs(mine) do redis.call('HDEL', n.owner, id) end
end
return tonumber(redis.call('HGET', home.turns, worker) or 0)
