-- Prelude: the names of a queue's keys (those of quarterdeck/keys.py; a test compares them), and the server's clock.
-- Scripts build names from the queue's name: one queue's keys share a slot when its name carries a hash tag.

-- A name is built when it is first asked for: a script touches few of them.

local before = {
  queued = 'saq:', active = 'saq:', incomplete = 'saq:', stats = 'saq:', prefix = 'saq:job:',
  schedule_lock = 'saq:', sweep_lock = 'saq:', worker_info = 'saq:', minute = 'qd:minute:', hour = 'qd:hour:',
}
local after = {
  queued = ':queued', active = ':active', incomplete = ':incomplete', stats = ':stats', prefix = ':',
  schedule_lock = ':schedule', sweep_lock = ':sweep', worker_info = ':worker_info:', minute = ':', hour = ':',
}
local compounds = {
  failed_of_signature = 'failed-sig', failed_of_function = 'failed-fn', control = 'control', log = 'log',
}

local builder = {
  __index = function(names, kind)
    local q = names.queue
    local name
    if before[kind] then
      name = before[kind] .. q .. after[kind]
    elseif compounds[kind] then
      name = 'qd:' .. compounds[kind] .. ':' .. #q .. ':' .. q .. ':'
    else
      name = 'qd:' .. string.gsub(kind, '_', '-') .. ':' .. q
    end
    rawset(names, kind, name)
    return name
  end,
}

local known = {}

local function names_of(q)
  local names = known[q]
  if not names then
    names = setmetatable({queue = q}, builder)
    known[q] = names
  end
  return names
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
