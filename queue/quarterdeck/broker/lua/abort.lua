#!lua flags=allow-oom
-- Aborts a job wherever it is, in one step.
-- Preludes: names.
-- KEYS[1]  saq:Q:queued, for the cluster slot
-- ARGV[1]  Q
-- ARGV[2]  KEY
-- ARGV[3]  the payload to leave while it is being aborted
-- ARGV[4]  how long SAQ's abort marker stays, ms
-- ARGV[5]  the reason
-- Returns 'waiting' (it left the queue: whoever asked settles it), 'running' (its worker will end it), or 'ended' (it
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
redis.call('SET', id, ARGV[3])
redis.call('SET', 'saq:abort:' .. ARGV[2], ARGV[5], 'PX', ARGV[4])
redis.call('PUBLISH', id, 'aborting')
if owned then return 'running' end
redis.call('ZREM', n.incomplete, id)
if waiting or (due and tonumber(due) > 0) then return 'waiting' end
redis.call('LREM', n.active, 0, id)
return 'running'
