-- A chapter of the snapshot script (see program.py): failure groups, and how many of each group's jobs failed in each step of the last hour.
-- Steps are whole: step N holds what failed from N times its length on. Who has read a group before says what was there;
-- then only what has changed since is counted, which is one command for a group at rest and two for one that grows.

-- Counts of the steps from `low` to `high`, oldest first, and their sum. `last` is the upper bound of the newest.
local function counts_of(key, low, high, step, last)
  local counts, above = {}, 0
  for at = high, low, -1 do
    local n = call('ZCOUNT', key, digits(at * step), last)
    counts[at - low + 1] = n - above
    above = n
  end
  return counts, above
end

-- All steps of the hour before and with `high`; no further back than there is anything left to count.
local function whole_hour(key, seen, steps, high, step, last)
  local counts, low = {}, high - steps + 1
  for at = 1, steps do counts[at] = 0 end
  if tonumber(seen) < low * step then return counts end
  local all, above = call('ZCOUNT', key, digits(low * step), last), 0
  for at = high, low, -1 do
    if above == all then break end
    local n = at == low and all or call('ZCOUNT', key, digits(at * step), last)
    counts[at - low + 1] = n - above
    above = n
  end
  return counts
end

-- What came since a group was read. `k` says what was there then: last seen, count, number of the step of then, jobs in
-- that step, jobs in the steps before it, as words. Returns the counts of the steps from then to now and, where jobs have
-- left it, the first time that is left; nothing when the steps before have changed too.
local function since(key, words, seen, count, steps, high, step)
  local k = {}
  for word in string.gmatch(words, '%S+') do k[#k + 1] = tonumber(word) end
  if high - k[3] >= steps then return nil end
  -- What came last came into a step that was over already.
  if seen ~= string.match(words, '%S+') and tonumber(seen) < k[3] * step then return nil end
  local counts, sum = counts_of(key, k[3], high, step, '+inf')
  local first = function() return call('ZRANGE', key, 0, 0, 'WITHSCORES')[2] end
  if sum - k[4] == count - k[2] then
    return counts, count == sum and first() -- the oldest may have left and others come in the same step
  end
  if high == k[3] and call('ZCOUNT', key, digits((high - steps + 1) * step), '+inf') == sum + k[5] then
    return counts, first()
  end
  return nil
end

-- The rows of the groups that are read anew, by one command; and where one is no exception, but may be what an operator
-- wrote, the row of its oldest job, which knows.
local function rows_of_groups(rows, anew, groups, jobs)
  if #anew == 0 then return end
  local names = {}
  for at, group in ipairs(anew) do names[at] = group.signature end
  local found = try('HMGET', groups, unpack(names))
  for at, group in ipairs(anew) do
    local row = found and found[at] or false
    rows[group.at][4] = row
    if row and not string.find(row, '"exception"', 1, true) then rows[group.at][7] = try('HGET', jobs, group.oldest) end
  end
end

-- Failure groups, last seen first. a = signatures, rows, prefix of the per-signature sets, how many, steps, step ms, how
-- many may be read whole, a moment in the past (ms) or '' for now, failed jobs, how many there are when nothing has
-- changed (or -1), the signatures and when they were last seen in this case (words), and what is known of the groups
-- (msgpack: signature → words, see above), rows of failed jobs
-- Returns {the present step} when nothing has changed, else {the present step, failed jobs, signatures and when they were
-- last seen (words), rows {signature, last seen, count, row or false, first time or false, counts of the newest steps,
-- oldest first, the row of a job or false}}; a group that is as it was is its signature alone. Of a group that should be
-- read whole and has no leave there are no counts.
OPS['groups'] = function(a)
  local past, steps, step, leave = a[8] ~= '', tonumber(a[5]), tonumber(a[6]), tonumber(a[7])
  local now = past and tonumber(a[8]) or NOW[1] * 1000 + math.floor(NOW[2] / 1000)
  local high, last = math.floor(now / step), past and a[8] or '+inf'
  local found = call('ZREVRANGE', a[1], 0, tonumber(a[4]) - 1, 'WITHSCORES')
  local failed, words = try('ZCARD', a[9]), table.concat(found, ' ')
  if failed == tonumber(a[10]) and words == a[11] then return {high} end
  local known, rows, anew = cmsgpack.unpack(a[12]), {}, {}
  for i = 1, #found, 2 do
    local signature, seen = found[i], found[i + 1]
    local key, k = a[3] .. signature, known[signature]
    local count = past and try('ZCOUNT', key, '-inf', last) or not past and try('ZCARD', key)
    if count and count > 0 then
      if k and string.find(k, seen .. ' ' .. count .. ' ', 1, true) == 1 then
        rows[#rows + 1] = signature
      else
        local counts, first
        if k then counts, first = since(key, k, seen, count, steps, high, step) end
        if not counts then
          local oldest = call('ZRANGE', key, 0, 0, 'WITHSCORES')
          first, counts = oldest[2], {}
          if leave > 0 then counts = whole_hour(key, seen, steps, high, step, last) end
          leave = leave - 1
          anew[#anew + 1] = {at = #rows + 1, signature = signature, oldest = oldest[1]}
        end
        rows[#rows + 1] = {signature, seen, count, false, first or false, counts, false}
      end
    end
  end
  rows_of_groups(rows, anew, a[2], a[13])
  return {high, failed, words, rows}
end
