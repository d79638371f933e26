#!lua flags=allow-oom
-- Takes retried jobs back to the failed list, as long as nobody has taken them.
-- KEYS[1]  saq:Q:queued, for the cluster slot
-- ARGV[1]  Q
-- then for each job five arguments: KEY, its time of failure, its failed row, its payload as it failed,
--   its signature's row
-- Returns for each job: 'ok', or 'started' (it is running or done).

local queue = ARGV[1]
local names = names_of(queue)
local answers = {}
for i = 2, #ARGV, 5 do
  local key, at, row, raw = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local id = names.prefix .. key
  if redis.call('LREM', names.queued, -1, id) == 1 then
    redis.call('ZREM', names.incomplete, id)
    redis.call('DEL', id)
    put_whole(names, key, at, row, raw, ARGV[i + 4])
    answers[#answers + 1] = 'ok'
  else
    answers[#answers + 1] = 'started'
  end
end
return answers
