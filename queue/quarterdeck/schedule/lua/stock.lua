-- Pausing a stock worker's cron by SAQ's own abort marker: while it is there, no worker enqueues the cron's job.
-- KEYS[1]  saq:Q:incomplete, KEYS[2] saq:Q:queued, KEYS[3] saq:abort:cron:FUNCTION, KEYS[4] saq:job:Q:cron:FUNCTION
-- ARGV[1]  the marker's text, ARGV[2] how long it stays in ms, 0 without end
-- ARGV[3]  1 to leave a marker that says something else alone (another has paused this cron)
-- A job that waits for its time is taken out; one that is queued or running goes on.
-- Returns 'removed', 'running', 'none' (nothing was pending) or 'theirs'.

if ARGV[3] == '1' then
  local marker = redis.call('GET', KEYS[3])
  if marker and marker ~= ARGV[1] then return 'theirs' end
end
if ARGV[2] == '0' then
  redis.call('SET', KEYS[3], ARGV[1])
else
  redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[2])
end
local due = redis.call('ZSCORE', KEYS[1], KEYS[4])
if not due then return 'none' end
if tonumber(due) <= 0 then return 'running' end
redis.call('ZREM', KEYS[1], KEYS[4])
redis.call('DEL', KEYS[4])
return 'removed'
