-- Prelude: the end of a scheduled run, written into the ledger by whoever finishes its job. Needs names.lua.

-- `run` is the ledger's id of the run; status is COMPLETED, FAILED or ABORTED; `told` is the result or the error, bounded.
-- Returns 1, or 0 when the ledger has no such run (any more).
local function settle_run(n, run, status, started, ended, duration, told)
  if redis.call('HEXISTS', n.schedule_runs, run) == 0 then return 0 end
  local record = table.concat({status, started, ended, duration, told}, '\t')
  redis.call('HSET', n.schedule_runs, run .. '\te', record)
  redis.call('ZREM', 'qd:schedule-open:' .. n.queue, run)
  return 1
end
