#!lua flags=allow-oom
-- Marks taken jobs active whose payload could not be edited in place, before their function starts.
-- Preludes: names.
-- KEYS[1]  saq:Q:queued, for the cluster slot
-- ARGV[1]  Q
-- then for each job four arguments: ID, W/TOKEN/ that must hold it, the payload it was read with, the payload to store
-- Returns for each: 1 (marked), 0 (somebody else holds it), or its payload of now, when it changed meanwhile.

local n = names_of(ARGV[1])
local now = text(clock_ms())
local answers = {}
for i = 2, #ARGV, 4 do
  local id, who, was, active = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local owner = redis.call('HGET', n.owner, id) or ''
  if string.sub(owner, 1, #who) ~= who then
    answers[#answers + 1] = 0
  else
    local is = redis.call('GET', id)
    if is == was then
      redis.call('SET', id, active)
      redis.call('HSET', n.owner, id, who .. now)
      answers[#answers + 1] = 1
    else
      answers[#answers + 1] = is or ''
    end
  end
end
return answers
