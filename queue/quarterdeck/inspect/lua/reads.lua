-- Shared by the snapshot script: reads that take several steps. Every one is bounded, none writes, none scans.
-- OPS[name](a) gets the read's arguments as a list and returns one reply. What most snapshots use is here; the rest is in
-- chapters, which are begun when one of their reads is asked for.

local OPS = {}

-- A number as text without an exponent: Lua writes 1.7e+12 for what is above 14 digits.
local function digits(number) return string.format('%.0f', number) end

-- One payload's head and tail: {id, size, head, tail}. size is -1 with the reason in head when it can't be read.
local function payload_of(id, head, tail)
  local ok, text = pcall(call, 'GETRANGE', id, 0, head + tail - 1)
  if not ok then return {id, -1, type(text) == 'table' and text.err or tostring(text), ''} end
  if #text < head + tail then return {id, #text, text, ''} end
  local size = call('STRLEN', id)
  if size <= head + tail then return {id, size, text, ''} end
  return {id, size, string.sub(text, 1, head), call('GETRANGE', id, -tail, -1)}
end

-- What holds a queue or its jobs up, which is seldom anything. a = pause, quarantine, held, orphans, most orphans to tell
-- Returns {} when there is nothing, else {pause, jobs in quarantine, jobs that rules hold, orphans, values of orphans}.
OPS['obstacles'] = function(a)
  if call('EXISTS', a[1], a[2], a[3], a[4]) == 0 then return {} end
  local orphans = try('HLEN', a[4]) or 0
  local values = orphans > 0 and orphans <= a[5] and try('HVALS', a[4]) or {}
  return {try('GET', a[1]) or false, try('HLEN', a[2]) or 0, try('ZCARD', a[3]) or 0, orphans, values}
end

-- The command only when the collection is small. a = size command, key, most, then the command and its arguments.
-- Returns {size, reply}; reply is empty when size is above most.
OPS['small'] = function(a)
  local size = call(a[1], a[2])
  if size == 0 or size > tonumber(a[3]) then return {size, {}} end
  return {size, call(unpack(a, 4))}
end

-- Payloads of jobs by id. a = head, tail, ids…
OPS['payloads'] = function(a)
  local rows = {}
  for i = 3, #a do rows[#rows + 1] = payload_of(a[i], tonumber(a[1]), tonumber(a[2])) end
  return rows
end

-- The first jobs of a list with their payloads. a = list, count (1 or more), head, tail, ids of which the payload is known
-- (each between line ends). Of these there is the id alone.
OPS['front'] = function(a)
  local rows = {}
  for _, id in ipairs(call('LRANGE', a[1], 0, tonumber(a[2]) - 1)) do
    local known = string.find(a[5], '\n' .. id .. '\n', 1, true)
    rows[#rows + 1] = known and id or payload_of(id, tonumber(a[3]), tonumber(a[4]))
  end
  return rows
end

-- Fields of a hash that are read with one command: Lua can't unpack very many.
local FIELDS = 500

-- Rows {member, score, value or false} of members and scores in turn; the values are those of a hash.
local function with_values(found, hash)
  local rows, fields = {}, {}
  for i = 1, #found, 2 do
    local at = #rows + 1
    rows[at], fields[at] = {found[i], found[i + 1], false}, found[i]
  end
  for from = 1, #fields, FIELDS do
    local to = math.min(#fields, from + FIELDS - 1)
    local values = try('HMGET', hash, unpack(fields, from, to)) or {}
    for at = from, to do rows[at][3] = values[at - from + 1] or false end
  end
  return rows
end

-- Rows of a hash for the members of a range of a sorted set. a = sorted set, hash, start, stop, '1' when newest first
-- Returns rows {member, score, value or false}.
OPS['rows'] = function(a)
  return with_values(call(a[5] == '1' and 'ZREVRANGE' or 'ZRANGE', a[1], a[3], a[4], 'WITHSCORES'), a[2])
end

-- Per-minute counts. a = key prefix, how many minutes back in full (the last minute comes along in its successor's first
-- five seconds, while its late finishes arrive), then pairs: minute, 'all' or 'depth'
-- Returns rows {minute, fields}; for 'depth' {minute, depth}.
OPS['minutes'] = function(a)
  local rows, full = {}, tonumber(a[2])
  local now = math.floor(NOW[1] / 60)
  if full == 1 and NOW[1] % 60 < 5 then full = 2 end
  for back = 0, full - 1 do
    rows[#rows + 1] = {now - back, try('HGETALL', a[1] .. digits(now - back)) or {}}
  end
  for i = 3, #a, 2 do
    local key = a[1] .. a[i]
    if a[i + 1] == 'all' then
      rows[#rows + 1] = {tonumber(a[i]), try('HGETALL', key) or {}}
    else
      rows[#rows + 1] = {tonumber(a[i]), try('HGET', key, 'depth')}
    end
  end
  return rows
end

-- Jobs due next whose id begins with a prefix. a = incomplete, prefix, how many to look at. Returns rows {id, due}.
OPS['due'] = function(a)
  local rows, size = {}, #a[2]
  -- Without scores: writing a hundred numbers as text costs more than all the rest of this read.
  for _, id in ipairs(call('ZRANGEBYSCORE', a[1], '(0', '+inf', 'LIMIT', 0, a[3])) do
    if string.sub(id, 1, size) == a[2] then rows[#rows + 1] = {id, call('ZSCORE', a[1], id)} end
  end
  return rows
end

-- Stock SAQ's workers. a = stats, most. Returns rows {key of its record, when the registration ends, record}.
OPS['stock'] = function(a)
  local rows = {}
  local found = call('ZREVRANGE', a[1], 0, tonumber(a[2]) - 1, 'WITHSCORES')
  for i = 1, #found, 2 do
    rows[#rows + 1] = {found[i], found[i + 1], try('GET', found[i])}
  end
  return rows
end
