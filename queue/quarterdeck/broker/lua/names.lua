-- Prelude: the names of a queue's keys (those of quarterdeck/keys.py; a test compares them), and the server's clock.
-- Scripts build names from the queue's name: one queue's keys share a slot when its name carries a hash tag.

local function names_of(q)
  return {
    queue = q,
    prefix = 'saq:job:' .. q .. ':',
    queued = 'saq:' .. q .. ':queued',
    active = 'saq:' .. q .. ':active',
    incomplete = 'saq:' .. q .. ':incomplete',
    schedule_lock = 'saq:' .. q .. ':schedule',
    sweep_lock = 'saq:' .. q .. ':sweep',
    stats = 'saq:' .. q .. ':stats',
    owner = 'qd:owner:' .. q,
    lease = 'qd:lease:' .. q,
    fence = 'qd:fence:' .. q,
    turns = 'qd:turns:' .. q,
    workers = 'qd:workers:' .. q,
    ownerless = 'qd:ownerless:' .. q,
    crashes = 'qd:crashes:' .. q,
    orphans = 'qd:orphans:' .. q,
    folded = 'qd:folded:' .. q,
    paused = 'qd:paused:' .. q,
    quarantine = 'qd:quarantine:' .. q,
    rules = 'qd:rules:' .. q,
    held = 'qd:held:' .. q,
    history = 'qd:history:' .. q,
    failed = 'qd:failed:' .. q,
    failed_rows = 'qd:failed-rows:' .. q,
    failed_jobs = 'qd:failed-jobs:' .. q,
    signatures = 'qd:signatures:' .. q,
    signature_rows = 'qd:signature-rows:' .. q,
    retention = 'qd:retention:' .. q,
    schedule_runs = 'qd:schedule-runs:' .. q,
    ledger = 'qd:ledger:' .. q,
    failed_of_signature = 'qd:failed-sig:' .. #q .. ':' .. q .. ':',
    failed_of_function = 'qd:failed-fn:' .. #q .. ':' .. q .. ':',
    minute = 'qd:minute:' .. q .. ':',
    hour = 'qd:hour:' .. q .. ':',
    control = 'qd:control:' .. #q .. ':' .. q .. ':',
    worker_info = 'saq:' .. q .. ':worker_info:',
  }
end

local function clock_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- A call that may fail on a key of a wrong type without breaking the script off: nil then.
local function soft(...)
  local answer = redis.pcall(...)
  if type(answer) == 'table' and answer.err then return nil end
  return answer
end

-- Numbers as text without an exponent: Lua writes 1.7e+12 for what is above 14 digits.
local function text(number)
  return string.format('%.0f', number)
end
