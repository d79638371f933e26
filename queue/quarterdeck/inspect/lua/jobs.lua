-- A chapter of the snapshot script (see program.py): everything about one job, and the recycle bin.

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
