-- What became of jobs that a bulk operation released.
-- KEYS[1]  saq:Q:queued, for the cluster slot
-- ARGV[1]  Q, then pairs: KEY, when it was released (ms)
-- Returns for each: 'waiting', 'failed' (it failed again) or 'done'.

local queue, names, answers = ARGV[1], names_of(ARGV[1]), {}
for i = 2, #ARGV, 2 do
  local key, released = ARGV[i], tonumber(ARGV[i + 1])
  local at = redis.call('ZSCORE', names.failed, key)
  if redis.call('ZSCORE', names.incomplete, names.prefix .. key) then
    answers[#answers + 1] = 'waiting'
  elseif at and tonumber(at) >= released then
    answers[#answers + 1] = 'failed'
  else
    answers[#answers + 1] = 'done'
  end
end
return answers
