#!lua flags=allow-oom
-- Makes scheduled jobs due at once: to the tail of the queue.
-- KEYS[1]  saq:Q:queued, for the cluster slot
-- ARGV[1]  Q, then the KEYs
-- Returns for each: the epoch second it was due at, or 'gone' (it is not waiting for its time).

local queue, names, answers = ARGV[1], names_of(ARGV[1]), {}
for i = 2, #ARGV do
  local id = names.prefix .. ARGV[i]
  local due = redis.call('ZSCORE', names.incomplete, id)
  if due and tonumber(due) > 0 then
    redis.call('ZADD', names.incomplete, 0, id)
    redis.call('RPUSH', names.queued, id)
    answers[#answers + 1] = due
  else
    answers[#answers + 1] = 'gone'
  end
end
return answers
