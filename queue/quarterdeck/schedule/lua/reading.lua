-- Prelude: reading schedules and runs, for whoever shows them. Needs names.lua. Nothing here writes or scans.

local LAST_TICK = '253402300799000'

-- Runs with their records and endings: run, record, ending, …
local function records_of(n, ids)
  local fields, rows = {}, {}
  for _, id in ipairs(ids) do
    fields[#fields + 1] = id
    fields[#fields + 1] = id .. '\te'
  end
  for from = 1, #fields, 500 do -- Lua can't unpack very many
    local to = math.min(#fields, from + 499)
    local values = redis.call('HMGET', n.runs, unpack(fields, from, to))
    for at = from, to, 2 do
      rows[#rows + 1] = fields[at]
      rows[#rows + 1] = values[at - from + 1] or ''
      rows[#rows + 1] = values[at - from + 2] or ''
    end
  end
  return rows
end

-- One schedule as it is stored: {name, code, edits, due, tick, paused, until, skip, broken, ticks missed in the last
-- day, {run, record, ending, ...} newest first}. What is not there is ''.
local function schedule_of(n, name, now, strip)
  local function get(key, field) return redis.call('HGET', key, field) or '' end
  local states = redis.call('HMGET', n.states,
    field_of(name, 'tick'), field_of(name, 'paused'), field_of(name, 'until'), field_of(name, 'skip'))
  return {
    name, get(n.schedules, name), get(n.edits, name), redis.call('ZSCORE', n.due, name) or '',
    states[1] or '', states[2] or '', states[3] or '', states[4] or '', get(n.broken, name),
    redis.call('ZCOUNT', n.missed .. name, text(now - 86400000), '+inf'),
    records_of(n, redis.call('ZREVRANGE', n.history .. name, 0, strip - 1)),
  }
end

-- A window of a queue's schedules, the next to fire first, broken ones last: {how many there are, schedule, ...}.
local function schedule_window(q, now, first, count, strip)
  local n = keys_of(q)
  local timed = redis.call('ZCOUNT', n.due, '-inf', LAST_TICK)
  local broken = redis.call('ZCOUNT', n.due, '+inf', '+inf')
  local names = {}
  if first < timed then names = redis.call('ZRANGEBYSCORE', n.due, '-inf', LAST_TICK, 'LIMIT', first, count) end
  if #names < count and broken > 0 then
    local from = math.max(0, first - timed)
    for _, name in ipairs(redis.call('ZRANGEBYSCORE', n.due, '+inf', '+inf', 'LIMIT', from, count - #names)) do
      names[#names + 1] = name
    end
  end
  local rows = {timed + broken}
  for _, name in ipairs(names) do rows[#rows + 1] = schedule_of(n, name, now, strip) end
  return rows
end

-- The first schedules of a queue that are set aside because they can't be read.
local function broken_window(q, now, count, strip)
  local n, rows = keys_of(q), {}
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', n.due, '+inf', '+inf', 'LIMIT', 0, count)) do
    rows[#rows + 1] = schedule_of(n, name, now, strip)
  end
  return rows
end

-- A window of runs, newest first, of one schedule by tick (name), or of the queue by when they were written ('').
-- Returns {how many there are between low and high, run, record, ending, ...}.
local function run_window(q, name, low, high, first, count)
  local n = keys_of(q)
  local key = name == '' and n.ledger or n.history .. name
  local rows = {redis.call('ZCOUNT', key, low, high)}
  for _, part in ipairs(records_of(n, redis.call('ZREVRANGEBYSCORE', key, high, low, 'LIMIT', first, count))) do
    rows[#rows + 1] = part
  end
  return rows
end
