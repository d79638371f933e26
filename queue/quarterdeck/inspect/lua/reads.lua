-- Shared by the snapshot script: reads that take several steps. Every one is bounded, none writes, none scans.
-- OPS[name](a) gets the read's arguments as a list of strings and returns one reply.

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

-- Rows of a hash for the members of a range of a sorted set. a = sorted set, hash, start, stop, '1' when newest first
-- Returns rows {member, score, value or false}.
local function rows_of(zset, hash, start, stop, newest)
  local rows, fields = {}, {}
  local found = call(newest and 'ZREVRANGE' or 'ZRANGE', zset, start, stop, 'WITHSCORES')
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
OPS['rows'] = function(a) return rows_of(a[1], a[2], a[3], a[4], a[5] == '1') end

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

-- A job's attempts: entries of the history whose record begins with KEY<TAB>, newest first.
-- a = history, KEY, how many entries to look at, newest id, oldest id, when its last attempt ended (ms) or nil.
-- Returns {looked at, entries {id, record}…}.
OPS['attempts'] = function(a)
  local want, budget, looked, rows = a[2] .. '\t', tonumber(a[3]), 0, {}
  -- From `first` on towards `last`, in steps that grow, until the record holds `stop`.
  local function look(command, first, last, most, stop)
    local size = 32
    while looked < most do
      local found = try(command, a[1], first, last, 'COUNT', math.min(size, most - looked))
      if not found or #found == 0 then return end
      looked = looked + #found
      local ended = false
      for _, entry in ipairs(found) do
        local record = entry[2][2]
        if record and string.sub(record, 1, #want) == want then
          rows[#rows + 1] = {entry[1], record}
          ended = ended or stop and string.find(record, stop, 1, true)
        end
      end
      if ended then return end
      first, size = '(' .. found[#found][1], math.min(250, size * 2)
    end
  end
  -- The last entry is written when the attempt ends or a little later: at full speed thousands follow within a second.
  if a[6] then
    look('XRANGE', digits(a[6] - 50), a[4], math.floor(budget / 3), '\t' .. digits(a[6]) .. '\t')
    for i = 1, math.floor(#rows / 2) do rows[i], rows[#rows + 1 - i] = rows[#rows + 1 - i], rows[i] end
  end
  look('XREVRANGE', #rows > 0 and '(' .. rows[#rows][1] or a[4], a[5], budget, nil)
  return {looked, rows}
end

-- When a job was last seen to begin, for bounding the search for its attempts: ms, or nil.
local function stamp(text, field)
  local found = string.match(text, '"' .. field .. '": ?(%d+)')
  return found and tonumber(found)
end

-- The function of a job whose log is read: by its payload, its failed row, or the history from the last line's time on.
-- a = id, KEY, failed rows, history, log, how many entries to look at. Returns its name, or false.
OPS['function'] = function(a)
  local function named(text) return text and string.match(text, '"function": ?"([^"\\]+)"') end
  local found = named(try('GETRANGE', a[1], 0, 4095)) or named(try('HGET', a[3], a[2]))
  if found then return found end
  local at = string.match(try('LINDEX', a[5], -1) or '', '"at_ms": ?(%d+)')
  if not at then return false end
  local entries = OPS['attempts']({a[4], a[2], a[6], '+', at, tonumber(at)})[2]
  return entries[1] and string.match(entries[1][2], '^[^\t]*\t([^\t]*)') or false
end

-- Everything about one job. a = id, KEY, head, tail, failed, failed rows, failed jobs, history, budget, incomplete,
-- owner, crashes, log, lines, held, queued, how far to look for its place, abort marker, when it failed as the attempts
-- are known of that (or ''). Returns {payload, failed time, failed row, failed payload {id, size, head, tail}, attempts
-- (false when they are known), due, owner, crashes, log, held, place in the queue from 0, abort marker's reason}
OPS['job'] = function(a)
  local id, key, head, tail = a[1], a[2], tonumber(a[3]), tonumber(a[4])
  local payload = payload_of(id, head, tail)
  local kept = {id, 0, '', ''}
  local raw = try('HGET', a[7], key)
  if raw then
    kept = {id, #raw, raw, ''}
    if #raw > head + tail then kept = {id, #raw, string.sub(raw, 1, head), string.sub(raw, -tail)} end
  end
  local text = raw and (kept[3] .. kept[4]) or (payload[3] .. payload[4])
  local failed_at, due = try('ZSCORE', a[5], key), try('ZSCORE', a[10], id)
  local attempts = false
  if not failed_at or due or failed_at ~= a[19] then
    local queued, ended = stamp(text, 'queued'), stamp(text, 'completed')
    local newest, oldest, at = '+', '-', failed_at and tonumber(failed_at)
    -- The clocks of clients may be off by a minute from the server's, whose time the ids of the history have.
    if ended and ended > 0 then newest = digits(ended + 60000) end
    if at then newest = digits(at + 5000) end
    if queued and queued > 60000 then oldest = digits(queued - 60000) end
    attempts = OPS['attempts']({a[8], key, a[9], newest, oldest, at})
  end
  -- Only what waits has a place.
  local place = due and tonumber(due) == 0 and try('LPOS', a[16], id, 'MAXLEN', a[17])
  return {
    payload, failed_at, try('HGET', a[6], key), kept, attempts, due,
    try('HGET', a[11], id), try('HGET', a[12], id), try('LRANGE', a[13], -tonumber(a[14]), -1),
    try('ZSCORE', a[15], id), place or false, try('GET', a[18]),
  }
end

-- The recycle bin, newest first. a = bin, bin jobs, count
-- Returns rows {member, deleted, record, the failed row or, of another job, {"function": …} cut out of its payload}
OPS['bin'] = function(a)
  local rows = {}
  local found = call('ZREVRANGE', a[1], 0, tonumber(a[3]) - 1, 'WITHSCORES')
  for i = 1, #found, 2 do
    local record = try('HGET', a[2], found[i])
    local row = try('HGET', a[2], found[i] .. '\0row')
    if (not row or row == '') and (try('HSTRLEN', a[2], found[i] .. '\0raw') or 65536) < 65536 then
      local name = string.match(call('HGET', a[2], found[i] .. '\0raw') or '', '"function": ?("[^"\\]+")')
      row = name and '{"function":' .. name .. '}'
    end
    rows[#rows + 1] = {found[i], found[i + 1], record, row or false}
  end
  return rows
end

-- Everything about the newest job of a sorted set of KEYs. a = sorted set, then as for 'job' with prefixes in the place of
-- the id (a[2]), the log (a[14]) and the abort marker (a[19]), and the KEY whose attempts are known.
-- Returns {KEY, reply of 'job'}, or {}.
OPS['newest'] = function(a)
  local key = call('ZREVRANGE', a[1], 0, 0)[1]
  if not key then return {} end
  local b = {unpack(a, 2)}
  b[1], b[2], b[13], b[18] = b[1] .. key, key, b[13] .. key, b[18] .. key
  if b[20] ~= key then b[19] = '' end
  return {key, OPS['job'](b)}
end
