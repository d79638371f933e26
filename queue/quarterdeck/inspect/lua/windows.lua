-- A chapter of the snapshot script (see program.py): a window over several collections put one after the other, by index, whatever their
-- length. A collection is a list of job ids, the due part of SAQ's incomplete set, the failed index, or a stream.

local LENGTH, MARK, FETCH = {}, {}, {}

-- Streams know no ranks: beyond this many entries from either end the place is interpolated from the ids' times.
local EXACT = 2000

LENGTH['list'] = function(key) return try('LLEN', key) end
LENGTH['due'] = function(key) return try('ZCOUNT', key, '(0', '+inf') end
LENGTH['index'] = function(key) return try('ZCARD', key) end
LENGTH['members'] = LENGTH['index']
LENGTH['stream'] = function(key) return try('XLEN', key) end

-- Each: what tells in a few words whether the rows from place `skip` on are those that were there before, or nothing where
-- that can't be told for less than the rows, or nobody wants to know. What was read for it is kept in w.found.
MARK['list'] = function(w)
  if not w.marked or w.extra ~= '' then return nil end -- jobs that run: their payloads change
  -- Jobs come at one end and go at the other. To look inside costs as many steps as it lies far from the ends.
  return call('LINDEX', w.key, 0) .. ' ' .. call('LINDEX', w.key, -1)
end

local function ranked(command, w, first)
  w.found = call(command, w.key, first, first + w.count - 1, 'WITHSCORES')
  return w.marked and table.concat(w.found, ' ')
end

MARK['due'] = function(w)
  if w.reverse then return ranked('ZREVRANGE', w, w.skip) end
  return ranked('ZRANGE', w, call('ZCOUNT', w.key, '-inf', '0') + w.skip)
end

MARK['members'] = function(w) return ranked(w.reverse and 'ZREVRANGE' or 'ZRANGE', w, w.skip) end
MARK['index'] = function(w) return ranked(w.reverse and 'ZRANGE' or 'ZREVRANGE', w, w.skip) end

-- Entries stay as they are. Only what comes and what goes at the ends moves them.
MARK['stream'] = function(w) return w.marked and call('XREVRANGE', w.key, '+', '-', 'COUNT', 1)[1][1] end

-- Each: put `count` rows from place `skip` into rows; n is the length, reverse turns the collection round.
FETCH['list'] = function(rows, seg, w)
  local from, to = w.skip, w.skip + w.count - 1
  if w.reverse then from, to = w.n - w.skip - w.count, w.n - w.skip - 1 end
  local ids = call('LRANGE', w.key, from, to)
  for i = 1, #ids do
    local payload = payload_of(ids[w.reverse and #ids + 1 - i or i], w.head, w.tail)
    rows[#rows + 1] = {seg, '0', unpack(payload)}
  end
end

FETCH['due'] = function(rows, seg, w)
  local found = w.found
  for i = 1, #found, 2 do rows[#rows + 1] = {seg, found[i + 1], unpack(payload_of(found[i], w.head, w.tail))} end
end

FETCH['members'] = FETCH['due']

FETCH['index'] = function(rows, seg, w)
  for _, row in ipairs(with_values(w.found, w.extra)) do
    rows[#rows + 1] = {seg, row[2], row[1], row[3]}
  end
end

local function entries(rows, seg, found, first, last, step)
  for i = first, last, step do
    if found[i] then rows[#rows + 1] = {seg, found[i][1], found[i][2]} end
  end
end

FETCH['stream'] = function(rows, seg, w)
  -- Newest first; reversed: oldest first.
  local near, far = 'XREVRANGE', 'XRANGE'
  local near_end, far_end = '+', '-'
  if w.reverse then near, far, near_end, far_end = far, near, '-', '+' end
  if w.extra ~= '' then -- on from an entry that was seen
    local found = call(near, w.key, '(' .. w.extra, far_end, 'COUNT', w.count)
    return entries(rows, seg, found, 1, #found, 1)
  end
  local after = w.n - w.skip - w.count
  if w.skip <= EXACT then
    local found = call(near, w.key, near_end, far_end, 'COUNT', w.skip + w.count)
    entries(rows, seg, found, w.skip + 1, #found, 1)
  elseif after <= EXACT then
    local found = call(far, w.key, far_end, near_end, 'COUNT', after + w.count)
    entries(rows, seg, found, #found, after + 1, -1)
  else
    local function at(command, from, to)
      return tonumber(string.match(call(command, w.key, from, to, 'COUNT', 1)[1][1], '^%d+'))
    end
    local oldest, newest = at('XRANGE', '-', '+'), at('XREVRANGE', '+', '-')
    local share = w.skip / w.n
    local place = w.reverse and oldest + (newest - oldest) * share or newest - (newest - oldest) * share
    local found = call(near, w.key, string.format('%.0f', place), far_end, 'COUNT', w.count)
    entries(rows, seg, found, 1, #found, 1)
  end
end

-- a = head, tail, offset, limit, what tells that the rows of last time are still there ('' when there was no last time,
-- '-' when there will be no next), then four a collection: kind, key, extra, '1' to turn it round. extra is the hash of
-- rows of an index; of a stream the id after which to go on, whatever the offset says, or empty; of a list anything where
-- its jobs run.
-- Returns {lengths (-1: can't be read), rows {collection's number from 1, …}, what will tell that these are still there
-- (or '')}, or the lengths alone when the rows are those of last time.
OPS['window'] = function(a)
  local lengths, windows, marks = {}, {}, {}
  local skip, want, marked = tonumber(a[3]), tonumber(a[4]), a[5] ~= '-'
  for at = 6, #a, 4 do
    local kind, key = a[at], a[at + 1]
    local n = LENGTH[kind](key) or -1
    local seg = #lengths + 1
    lengths[seg] = n
    if n > skip and want > 0 then
      local w = {
        kind = kind, key = key, extra = a[at + 2], reverse = a[at + 3] == '1', head = tonumber(a[1]),
        tail = tonumber(a[2]), skip = skip, count = math.min(want, n - skip), n = n, seg = seg, marked = marked,
      }
      windows[#windows + 1] = w
      local mark = MARK[kind](w)
      marks = marks and mark and marks
      if marks then marks[#windows] = seg .. ' ' .. n .. ' ' .. mark end
      want, skip = want - w.count, 0
    elseif n > 0 then
      skip = math.max(0, skip - n)
    end
  end
  local words = marks and table.concat(marks, '\n') or ''
  if words ~= '' and words == a[5] then return {lengths} end
  local rows = {}
  for _, w in ipairs(windows) do FETCH[w.kind](rows, w.seg, w) end
  return {lengths, rows, words}
end
