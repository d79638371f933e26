#!lua flags=allow-oom
-- After calls without an answer: makes them void, and gives back what they took.
-- Preludes: names, payload.
-- KEYS[i]  saq:Q:queued of each queue, home first
-- ARGV[1]  worker id
-- ARGV[2]  the first token without an answer
-- ARGV[3]  the last token sent
-- ARGV[4]  number of queues, then their names, home first
-- then for each settlement of those calls three arguments: number of its queue, ID, holder (W/TOKEN/)
-- Returns the numbers (from 1) of the settlements that did not happen: their jobs are still held.

local worker, from, upto = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local home = names_of(ARGV[5])
redis.call('HSET', home.fence, worker, text(upto))
local last = 4 + tonumber(ARGV[4])
local undone = {}
for i = last + 1, #ARGV, 3 do
  local owner = soft('HGET', names_of(ARGV[4 + ARGV[i]]).owner, ARGV[i + 1]) or ''
  if string.sub(owner, 1, #ARGV[i + 2]) == ARGV[i + 2] then undone[#undone + 1] = (i - last - 1) / 3 + 1 end
end
for q = 5, last do
  local n = names_of(ARGV[q])
  local mine = {}
  local owners = soft('HGETALL', n.owner) or {}
  for i = 1, #owners, 2 do
    local who, token = string.match(owners[i + 1], '^(.*)/(%d+)/%d+$')
    if who == worker and tonumber(token) >= from and tonumber(token) <= upto then mine[owners[i]] = true end
  end
  local active = soft('LRANGE', n.active, 0, -1) or {}
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
return undone
