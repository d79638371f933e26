#!lua flags=allow-oom
-- Asks the workers of running jobs to abort them, as SAQ does: status aborting in the payload, and the abort marker.
-- KEYS[1]  saq:Q:queued, for the cluster slot
-- ARGV[1]  Q
-- ARGV[2]  the error to leave, ARGV[3] how long the marker lives, s
-- then for each job three arguments: KEY, the payload as it was read, the payload that says aborting
-- Returns for each job: 'ok', 'changed' (its payload is another by now), 'gone' (it is not running).

local queue, names, answers = ARGV[1], names_of(ARGV[1]), {}
for i = 4, #ARGV, 3 do
  local key, was, payload = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local id = names.prefix .. key
  local answer = 'ok'
  if not redis.call('ZSCORE', names.incomplete, id) then
    answer = 'gone'
  elseif redis.call('GET', id) ~= was then
    answer = 'changed'
  else
    redis.call('SET', id, payload)
    redis.call('SET', 'saq:abort:' .. key, ARGV[2], 'EX', ARGV[3])
    redis.call('PUBLISH', id, 'aborting')
    tell_abort(names, id)
  end
  answers[#answers + 1] = answer
end
return answers
