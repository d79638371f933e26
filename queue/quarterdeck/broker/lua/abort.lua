#!lua flags=allow-oom
-- Aborts a job wherever it is, in one step.
-- Preludes: names, tell, failed, run, settle, settle_each, settle_all.
-- KEYS[1]  saq:Q:queued, for the cluster slot
-- ARGV[1]  Q
-- ARGV[2]  KEY
-- ARGV[3]  the payload to leave while it is being aborted
-- ARGV[4]  how long SAQ's abort marker stays, ms
-- ARGV[5]  the reason
-- ARGV[6]  how many entries the history holds unless qd:retention:Q says otherwise
-- then counts and one settlement (settle.lua): its end as aborted, in case it waits; without them whoever asked
--   settles it
-- Returns 'waiting' (it left the queue, and has ended), 'running' (its worker was told and will end it), or 'ended' (it
-- neither waits nor runs, and is left as it is).

local n = names_of(ARGV[1])
local id = n.prefix .. ARGV[2]
local waiting = redis.call('LREM', n.queued, 0, id) > 0
local due = redis.call('ZSCORE', n.incomplete, id)
local owned = redis.call('HEXISTS', n.owner, id) == 1
if not waiting and not due and not owned and redis.call('LREM', n.active, 0, id) == 0 then
  -- A stock client's abort takes a running job off every list: only its payload tells.
  local payload = redis.call('GET', id) or ''
  if not string.find(payload, '"status":%s?"active"') and not string.find(payload, '"status":%s?"aborting"') then
    return 'ended'
  end
end
waiting = not owned and (waiting or (due and tonumber(due) > 0))
if waiting and #ARGV > 6 then
  settle_all({n}, 7, soft('HGET', n.retention, 'history_count') or ARGV[6], clock_ms())
  return 'waiting'
end
redis.call('SET', id, ARGV[3])
redis.call('SET', 'saq:abort:' .. ARGV[2], ARGV[5], 'PX', ARGV[4])
redis.call('PUBLISH', id, 'aborting')
if owned then
  tell_abort(n, id)
  return 'running'
end
redis.call('ZREM', n.incomplete, id)
if waiting then return 'waiting' end
redis.call('LREM', n.active, 0, id)
return 'running'
