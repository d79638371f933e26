#!lua flags=allow-oom
-- Brings jobs back out of the recycle bin, to where they were.
-- KEYS[1]  saq:Q:queued, for the cluster slot
-- ARGV[1]  Q
-- then the members of qd:bin:Q (ACT/KEY) to restore
-- Returns for each: 'ok', 'gone' (no longer in the bin), 'queued' (the same key is at work already).

local queue = ARGV[1]
local names = names_of(queue)
local bin_key, bin_jobs = 'qd:bin:' .. queue, 'qd:bin-jobs:' .. queue
local answers = {}
for i = 2, #ARGV do
  local member = ARGV[i]
  local record = redis.call('HGET', bin_jobs, member)
  local answer = 'gone'
  if record then
    local decoded = cjson.decode(record)
    local key = decoded['key']
    local id = names.prefix .. key
    local row = redis.call('HGET', bin_jobs, member .. '\0row')
    local raw = redis.call('HGET', bin_jobs, member .. '\0raw')
    answer = 'ok'
    if decoded['was'] == 'failed' then
      if redis.call('ZSCORE', names.failed, key) then
        answer = 'queued'
      else
        put_whole(names, key, decoded['at'], row, raw, redis.call('HGET', bin_jobs, member .. '\0sig'))
      end
    elseif decoded['was'] == 'aside' then
      if redis.call('HSETNX', names.quarantine, key, raw) == 0 then
        answer = 'queued'
      else
        redis.call('ZADD', names.garbage, clock_ms(), key)
      end
    elseif decoded['was'] == 'complete' then
      redis.call('SET', id, raw, 'EX', 600, 'NX')
    elseif redis.call('ZSCORE', names.incomplete, id) then
      answer = 'queued'
    else
      redis.call('SET', id, raw)
      redis.call('ZADD', names.incomplete, decoded['at'], id)
      if decoded['was'] == 'queued' then redis.call('LPUSH', names.queued, id) end
    end
    if answer == 'ok' then
      redis.call('ZREM', bin_key, member)
      redis.call('HDEL', bin_jobs, member, member .. '\0row', member .. '\0raw', member .. '\0sig')
    end
  end
  answers[#answers + 1] = answer
end
return answers
