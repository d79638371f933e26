-- Prelude: the names of a queue's keys (those of quarterdeck/keys.py; a test compares them), and the server's clock.
-- Scripts build names from the queue's name: one queue's keys share a slot when its name carries a hash tag.

-- A name is built when it is first asked for: a script touches few of them. No tables here: they would be made anew
-- with each call of each script.

local function name_of(kind, q)
  if kind == 'prefix' then return 'saq:job:' .. q .. ':' end
  if kind == 'queued' or kind == 'active' or kind == 'incomplete' or kind == 'stats' then
    return 'saq:' .. q .. ':' .. kind
  end
  if kind == 'minute' or kind == 'hour' then return 'qd:' .. kind .. ':' .. q .. ':' end
  if kind == 'schedule_lock' then return 'saq:' .. q .. ':schedule' end
  if kind == 'sweep_lock' then return 'saq:' .. q .. ':sweep' end
  if kind == 'worker_info' then return 'saq:' .. q .. ':worker_info:' end
  local compound = kind == 'control' and 'control' or kind == 'log' and 'log'
    or kind == 'failed_of_signature' and 'failed-sig' or kind == 'failed_of_function' and 'failed-fn'
  if compound then return 'qd:' .. compound .. ':' .. #q .. ':' .. q .. ':' end
  return 'qd:' .. string.gsub(kind, '_', '-') .. ':' .. q
end

local builder = {
  __index = function(names, kind)
    local name = name_of(kind, names.queue)
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
