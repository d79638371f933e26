-- Shared by the snapshot script: reads that take several steps. Every one is bounded, none writes, none scans.
-- OPS[name](a) gets the read's arguments as a list of strings and returns one reply.

local OPS = {}
local call = redis.call

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

-- Any one command. a = the command and its arguments.
OPS['call'] = function(a) return call(unpack(a)) end

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

-- The first jobs of a list with their payloads. a = list, count, head, tail
OPS['front'] = function(a)
  local rows = {}
  for _, id in ipairs(call('LRANGE', a[1], 0, tonumber(a[2]) - 1)) do
    rows[#rows + 1] = payload_of(id, tonumber(a[3]), tonumber(a[4]))
  end
  return rows
end

-- Rows of a hash for the members of a range of a sorted set. a = sorted set, hash, start, stop, '1' when newest first
-- Returns rows {member, score, value or false}.
local function rows_of(zset, hash, start, stop, newest)
  local rows = {}
  local found = call(newest and 'ZREVRANGE' or 'ZRANGE', zset, start, stop, 'WITHSCORES')
  for i = 1, #found, 2 do rows[#rows + 1] = {found[i], found[i + 1], call('HGET', hash, found[i])} end
  return rows
end
OPS['rows'] = function(a) return rows_of(a[1], a[2], a[3], a[4], a[5] == '1') end

-- Per-minute counts. a = key prefix, how many minutes back in full, then pairs: minute, 'all' or 'depth'
-- Returns rows {minute, fields}; for 'depth' {minute, depth}.
OPS['minutes'] = function(a)
  local rows = {}
  local now = math.floor(tonumber(call('TIME')[1]) / 60)
  for back = 0, tonumber(a[2]) - 1 do
    rows[#rows + 1] = {now - back, call('HGETALL', a[1] .. string.format('%.0f', now - back))}
  end
  for i = 3, #a, 2 do
    local key = a[1] .. a[i]
    if a[i + 1] == 'all' then
      rows[#rows + 1] = {tonumber(a[i]), call('HGETALL', key)}
    else
      rows[#rows + 1] = {tonumber(a[i]), call('HGET', key, 'depth')}
    end
  end
  return rows
end

-- Failure groups, last seen first. a = signatures, rows, prefix of the per-signature sets, how many, trend steps, step ms,
-- a moment in the past (ms) or '' for now
-- Returns {number of signatures, rows {signature, last seen, row, count, first time, trend…}}, oldest step first.
OPS['groups'] = function(a)
  local time = call('TIME')
  local past = a[7] and a[7] ~= ''
  local now = past and tonumber(a[7]) or tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  local steps, step = tonumber(a[5]), tonumber(a[6])
  local rows = {}
  local found = call('ZREVRANGE', a[1], 0, tonumber(a[4]) - 1, 'WITHSCORES')
  for i = 1, #found, 2 do
    local key = a[3] .. found[i]
    local ok, count
    if past then ok, count = pcall(call, 'ZCOUNT', key, '-inf', a[7]) else ok, count = pcall(call, 'ZCARD', key) end
    if ok and count > 0 then
      local row = {found[i], found[i + 1], call('HGET', a[2], found[i]), count}
      row[5] = call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
      -- From the newest step back, and no further than there is anything left to count.
      local left, last = 0, past and digits(now) or '+inf'
      if tonumber(found[i + 1]) >= now - steps * step then left = call('ZCOUNT', key, digits(now - steps * step), last) end
      for at = 1, steps do
        local n = left
        if left > 0 and at < steps then n = call('ZCOUNT', key, digits(now - at * step), last) end
        row[5 + steps + 1 - at] = n
        left, last = left - n, '(' .. digits(now - at * step)
      end
      rows[#rows + 1] = row
    end
  end
  return {call('ZCARD', a[1]), rows}
end

-- Jobs due next whose id begins with a prefix. a = incomplete, prefix, how many to look at. Returns rows {id, due}.
OPS['due'] = function(a)
  local rows, size = {}, #a[2]
  local found = call('ZRANGEBYSCORE', a[1], '(0', '+inf', 'WITHSCORES', 'LIMIT', 0, a[3])
  for i = 1, #found, 2 do
    if string.sub(found[i], 1, size) == a[2] then rows[#rows + 1] = {found[i], found[i + 1]} end
  end
  return rows
end

-- Stock SAQ's workers. a = stats, most. Returns rows {key of its record, when the registration ends, record}.
OPS['stock'] = function(a)
  local rows = {}
  local found = call('ZREVRANGE', a[1], 0, tonumber(a[2]) - 1, 'WITHSCORES')
  for i = 1, #found, 2 do
    local ok, record = pcall(call, 'GET', found[i])
    rows[#rows + 1] = {found[i], found[i + 1], ok and record or false}
  end
  return rows
end

-- A job's attempts: entries of the history whose record begins with KEY<TAB>, newest first.
-- a = history, KEY, how many entries to look at, newest id, oldest id. Returns {looked at, entries {id, record}…}.
OPS['attempts'] = function(a)
  local want, looked, rows = a[2] .. '\t', 0, {}
  local budget, high = tonumber(a[3]), a[4]
  while looked < budget do
    local found = call('XREVRANGE', a[1], high, a[5], 'COUNT', math.min(250, budget - looked))
    if #found == 0 then break end
    for _, entry in ipairs(found) do
      local record = entry[2][2]
      if record and string.sub(record, 1, #want) == want then rows[#rows + 1] = {entry[1], record} end
    end
    looked = looked + #found
    high = '(' .. found[#found][1]
  end
  return {looked, rows}
end

-- When a job was last seen to begin, for bounding the search for its attempts: ms, or nil.
local function stamp(text, field)
  local found = string.match(text, '"' .. field .. '": ?(%d+)')
  return found and tonumber(found)
end

-- Everything about one job. a = id, KEY, head, tail, failed, failed rows, failed jobs, history, budget, incomplete,
-- owner, crashes, log, lines, held, queued, how far to look for its place, abort marker
-- Returns {payload, failed time, failed row, failed payload {id, size, head, tail}, attempts, due, owner, crashes, log,
-- held, place in the queue from 0, abort marker's reason}
OPS['job'] = function(a)
  local id, key, head, tail = a[1], a[2], tonumber(a[3]), tonumber(a[4])
  local payload = payload_of(id, head, tail)
  local kept = {id, 0, '', ''}
  local raw = call('HGET', a[7], key)
  if raw then
    kept = {id, #raw, raw, ''}
    if #raw > head + tail then kept = {id, #raw, string.sub(raw, 1, head), string.sub(raw, -tail)} end
  end
  local text = raw and (kept[3] .. kept[4]) or (payload[3] .. payload[4])
  local queued, completed, failed_at = stamp(text, 'queued'), stamp(text, 'completed'), call('ZSCORE', a[5], key)
  local newest, oldest = '+', '-'
  -- The clocks of clients may be off by a minute from the server's, whose time the ids of the history have.
  if completed and completed > 0 then newest = string.format('%.0f', completed + 60000) end
  if failed_at then newest = string.format('%.0f', tonumber(failed_at) + 5000) end
  if queued and queued > 60000 then oldest = string.format('%.0f', queued - 60000) end
  local fine, attempts = pcall(OPS['attempts'], {a[8], key, a[9], newest, oldest})
  if not fine then attempts = {0, {}} end
  return {
    payload, failed_at, call('HGET', a[6], key), kept, attempts, call('ZSCORE', a[10], id),
    call('HGET', a[11], id), call('HGET', a[12], id), call('LRANGE', a[13], -tonumber(a[14]), -1),
    call('ZSCORE', a[15], id), call('LPOS', a[16], id, 'MAXLEN', a[17]), call('GET', a[18]),
  }
end

-- The recycle bin, newest first. a = bin, bin jobs, count
-- Returns rows {member, deleted, record, the failed row or, of another job, {"function": …} cut out of its payload}
OPS['bin'] = function(a)
  local rows = {}
  local found = call('ZREVRANGE', a[1], 0, tonumber(a[3]) - 1, 'WITHSCORES')
  for i = 1, #found, 2 do
    local record = call('HGET', a[2], found[i])
    local row = call('HGET', a[2], found[i] .. '\0row')
    if (not row or row == '') and call('HSTRLEN', a[2], found[i] .. '\0raw') < 65536 then
      local name = string.match(call('HGET', a[2], found[i] .. '\0raw') or '', '"function": ?("[^"\\]+")')
      row = name and '{"function":' .. name .. '}'
    end
    rows[#rows + 1] = {found[i], found[i + 1], record, row or false}
  end
  return rows
end

-- Everything about the newest job of a sorted set of KEYs. a = sorted set, then as for 'job' with prefixes in the place of
-- the id (a[2]), the log (a[14]) and the abort marker (a[19]). Returns {KEY, reply of 'job', the rule's record}, or {}.
OPS['newest'] = function(a)
  local key = call('ZREVRANGE', a[1], 0, 0)[1]
  if not key then return {} end
  local b = {unpack(a, 2)}
  b[1], b[2], b[13], b[18] = b[1] .. key, key, b[13] .. key, b[18] .. key
  return {key, OPS['job'](b)}
end
