#!lua flags=allow-oom
-- Sets waiting jobs aside for a quarantine rule: out of the queue, their payloads kept.
-- KEYS[1]  saq:Q:queued, for the cluster slot
-- ARGV[1]  Q, ARGV[2] the rule's id, then the KEYs
-- Returns for each: 'ok', or 'changed' (it no longer waits).

local queue, rule = ARGV[1], ARGV[2]
local names, answers = names_of(queue), {}
local now = clock_ms()
for i = 3, #ARGV do
  local id = names.prefix .. ARGV[i]
  local due = redis.call('ZSCORE', names.incomplete, id)
  local waiting = due and (redis.call('LREM', names.queued, 1, id) == 1 or tonumber(due) > 0)
  if waiting then
    redis.call('ZREM', names.incomplete, id)
    redis.call('ZADD', names.held, now, id)
    redis.call('HSET', names.quarantine, id, cjson.encode({
      key = ARGV[i], reason = 'set aside by rule ' .. rule, at_ms = now, rule = rule, raw = '',
    }))
  end
  answers[#answers + 1] = waiting and 'ok' or 'changed'
end
return answers
