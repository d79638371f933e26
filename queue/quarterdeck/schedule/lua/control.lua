-- Small acts on one schedule.
-- Preludes: names, runs.
-- KEYS[1]  qd:schedule-due:Q, for the cluster slot
-- ARGV[1]  Q
-- ARGV[2]  the time in ms for tests, 0 for the server's
-- ARGV[3]  what to do: skip, unskip, run, broken, cancelled
-- ARGV[4]  the schedule's name (cancelled: a job's KEY)
-- skip     ARGV[5] who. The next tick does not run.
-- unskip   takes that back
-- run      ARGV[5] key base, ARGV[6..9] the payload's parts, ARGV[10] who. Enqueues at once, besides the timetable.
-- broken   ARGV[5] digest as it was read, ARGV[6] why. It is set aside until its definition changes.
-- cancelled  the job was told to stop
-- Returns {now, 1 or 0 (nothing to do), for run the job's key}

local n = keys_of(ARGV[1])
local now = clock_ms(ARGV[2])
local name = ARGV[4]
local acts = {}

function acts.skip()
  if redis.call('HEXISTS', n.schedules, name) == 0 then return 0 end
  return redis.call('HSETNX', n.states, field_of(name, 'skip'), ARGV[5])
end

function acts.unskip() return redis.call('HDEL', n.states, field_of(name, 'skip')) end

function acts.run()
  if redis.call('HEXISTS', n.schedules, name) == 0 then return 0 end
  local at = now
  local id = 'm' .. text(at) .. '/' .. name
  while redis.call('HEXISTS', n.runs, id) == 1 do
    at = at + 1
    id = 'm' .. text(at) .. '/' .. name
  end
  local key = ARGV[5] .. text(at)
  push(n, now, key, {ARGV[6], ARGV[7], ARGV[8], ARGV[9]}, at)
  write_run(n, now, id, name, at, 'manual', 'run now by ' .. ARGV[10], 0, 'RUNNING', key)
  redis.call('ZADD', n.open, text(now), id)
  redis.call('HSET', n.states, field_of(name, 'manual'), key)
  return 1, key
end

function acts.broken()
  if digest_of(n, name) ~= ARGV[5] then return 0 end
  redis.call('HSET', n.broken, name, ARGV[5] .. ARGV[6])
  redis.call('ZADD', n.due, '+inf', name)
  return 1
end

function acts.cancelled() return redis.call('HDEL', n.cancels, name) end

local done, key = acts[ARGV[3]]()
return {now, done, key or ''}
