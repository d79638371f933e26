#!lua flags=allow-oom
-- Puts jobs into the recycle bin: failed ones, waiting ones (queued or scheduled), and kept finished ones.
-- KEYS[1]  saq:Q:queued, for the cluster slot
-- ARGV[1]  Q
-- ARGV[2]  who
-- ARGV[3]  the act's id
-- ARGV[4]  how many jobs the bin holds at most
-- ARGV[5]  how long it holds them, ms
-- ARGV[6]  'delete'; 'waiting': only jobs that wait, so that an undo never takes what has run; or 'abort': as
--          'waiting', and a payload that says aborted stays behind, for SAQ's clients
-- then for each job three arguments:
--   KEY, the time of failure it was seen with (0: any), for 'abort' the payload to leave behind (else empty)
-- Returns for each job: 'failed', 'queued', 'scheduled', 'complete' (where it was), or why it was skipped:
-- 'changed', 'running', 'gone'.

local queue, who, act = ARGV[1], ARGV[2], ARGV[3]
local most, keep = tonumber(ARGV[4]), tonumber(ARGV[5])
local aborting, deleting = ARGV[6] == 'abort', ARGV[6] == 'delete'
local names = names_of(queue)
local now = clock_ms()
local bin = binner(queue, who, act, keep, now)

local answers = {}
for i = 7, #ARGV, 3 do
  local key, seen, behind = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local id = names.prefix .. key
  local at = redis.call('ZSCORE', names.failed, key)
  local due = redis.call('ZSCORE', names.incomplete, id)
  local answer
  if due and seen == '0' then
    local waiting = redis.call('LREM', names.queued, 1, id) == 1
    if waiting or tonumber(due) > 0 then
      answer = waiting and 'queued' or 'scheduled'
      bin(key, answer, due, '', redis.call('GET', id))
      redis.call('ZREM', names.incomplete, id)
      if aborting then
        redis.call('SET', id, behind, 'EX', 600)
        redis.call('PUBLISH', id, 'aborted')
      else
        redis.call('DEL', id)
      end
    else
      answer = 'running'
    end
  elseif at and deleting then
    if seen ~= '0' and tonumber(at) ~= tonumber(seen) then
      answer = 'changed'
    else
      bin(key, 'failed', at, take_whole(names, key))
      if not due then redis.call('DEL', id) end
      answer = 'failed'
    end
  elseif seen ~= '0' then
    answer = 'changed'
  else
    local raw = deleting and redis.call('GET', id)
    if raw then
      bin(key, 'complete', 0, '', raw)
      redis.call('DEL', id)
      answer = 'complete'
    else
      answer = 'gone'
    end
  end
  answers[#answers + 1] = answer
end

thin_bin(queue, most, keep, now)
return answers
