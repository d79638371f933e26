#!lua flags=allow-oom
-- Releases jobs that a rule had set aside: back to the tail of the queue.
-- KEYS[1]  saq:Q:queued, for the cluster slot
-- ARGV[1]  Q, then the ids (saq:job:Q:KEY)
-- Returns for each: 'ok', 'gone' (its payload is gone), 'queued' (the same key is at work already).

local queue = ARGV[1]
local names, answers = names_of(queue), {}
for i = 2, #ARGV do
  local id, answer = ARGV[i], 'ok'
  redis.call('ZREM', names.held, id)
  redis.call('HDEL', names.quarantine, id)
  if redis.call('EXISTS', id) == 0 then
    answer = 'gone'
  elseif redis.call('ZSCORE', names.incomplete, id) then
    answer = 'queued'
  else
    redis.call('ZADD', names.incomplete, 0, id)
    redis.call('RPUSH', names.queued, id)
  end
  answers[#answers + 1] = answer
end
return answers
