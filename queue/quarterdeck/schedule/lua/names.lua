-- Prelude: the names of a queue's keys that schedules touch (those of quarterdeck/keys.py; a test compares them), the
-- server's clock, and small things that all scripts of schedules need.

local function keys_of(q)
  return {
    queue = q,
    prefix = 'saq:job:' .. q .. ':',
    queued = 'saq:' .. q .. ':queued',
    incomplete = 'saq:' .. q .. ':incomplete',
    schedules = 'qd:schedules:' .. q,
    edits = 'qd:schedule-edits:' .. q,
    states = 'qd:schedule-states:' .. q,
    due = 'qd:schedule-due:' .. q,
    runs = 'qd:schedule-runs:' .. q,
    open = 'qd:schedule-open:' .. q,
    waiting = 'qd:schedule-waiting:' .. q,
    cancels = 'qd:schedule-cancels:' .. q,
    broken = 'qd:schedule-broken:' .. q,
    ledger = 'qd:ledger:' .. q,
    history = 'qd:schedule-ledger:' .. #q .. ':' .. q .. ':',
    missed = 'qd:schedule-missed:' .. #q .. ':' .. q .. ':',
    minute = 'qd:minute:' .. q .. ':',
  }
end

-- The server's clock in ms, or the test's when it is given ('0' and '' are not).
local function clock_ms(given)
  if given and given ~= '' and given ~= '0' then return tonumber(given) end
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- Numbers as text without an exponent: Lua writes 1.7e+12 for what is above 14 digits.
local function text(number)
  return string.format('%.0f', number)
end

-- What the definition of a schedule is now, as a digest of the code's part and the operators' part; '' when it is gone.
local function digest_of(n, name)
  local code, edits = redis.call('HGET', n.schedules, name), redis.call('HGET', n.edits, name)
  if not code then return '' end
  return redis.sha1hex(code .. '\0' .. (edits or ''))
end

-- A field of a schedule's state. The fields: tick (the next one, ms), last and manual (keys of the newest jobs),
-- paused (record PauseStat), until (ms, 0 for ever), pauser (who and why), skip (who).
local function field_of(name, field)
  return name .. '\t' .. field
end
