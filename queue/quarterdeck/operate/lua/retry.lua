#!lua flags=allow-oom
-- Brings failed jobs back, each by compare-and-set: what changed since it was seen is skipped.
-- KEYS[1]  saq:Q:queued, for the cluster slot
-- ARGV[1]  Q
-- then for each job four arguments:
--   KEY, the time of failure it was seen with (0: any), the payload to enqueue, the payload it was made from
--   (empty: the one in the failed index; else SAQ's own copy, which must still be this)
-- Returns for each job: 'ok', 'changed' (failed again, or gone), 'running' or 'queued' (the same key is at work already).

local queue = ARGV[1]
local names = names_of(queue)
local answers = {}
for i = 2, #ARGV, 4 do
  local key, seen, payload, was = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local id = names.prefix .. key
  local at = redis.call('ZSCORE', names.failed, key)
  local answer = 'ok'
  if redis.call('ZSCORE', names.incomplete, id) then
    answer = redis.call('HEXISTS', names.owner, id) == 1 and 'running' or 'queued'
  elseif was ~= '' then
    if redis.call('GET', id) ~= was then answer = 'changed' end
  elseif not at or (seen ~= '0' and tonumber(at) ~= tonumber(seen)) then
    answer = 'changed'
  end
  if answer == 'ok' then
    if at then take_failed(names, key) end
    redis.call('SET', id, payload)
    redis.call('ZADD', names.incomplete, 0, id)
    redis.call('RPUSH', names.queued, id)
  end
  answers[#answers + 1] = answer
end
return answers
