-- Prelude: minutes into hours, and the bounds of what is kept. Needs names.lua and failed.lua.

-- Adds the minutes that are over to their hours, each once; returns how many.
local function add_minutes(n, now)
  local minute = math.floor(now / 60000)
  local last = tonumber(redis.call('GET', n.folded) or minute - 61)
  local added = 0
  for m = math.max(last + 1, minute - 1500), math.min(minute - 1, last + 240) do
    local fields = redis.call('HGETALL', n.minute .. text(m))
    if #fields > 0 then
      local hour = n.hour .. text(math.floor(m / 60))
      for i = 1, #fields, 2 do
        if fields[i] ~= 'depth' and fields[i] ~= 'oldest' then redis.call('HINCRBY', hour, fields[i], fields[i + 1]) end
      end
      redis.call('EXPIRE', hour, 2678400)
      added = added + 1
    end
    last = m
  end
  redis.call('SET', n.folded, text(math.max(last, tonumber(redis.call('GET', n.folded) or 0))))
  return added
end

-- A bound as qd:retention:Q has it, else as usual.
local function bound_of(n, name, usual)
  local set = tonumber(soft('HGET', n.retention, name) or 0) or 0
  return set > 0 and set or tonumber(usual)
end

-- Drops what is beyond the bounds, oldest first: members of the zset `index` (member -> ms), by `drop(member)`. `whole` is
-- the hash in which each member has what takes the space. At most `most`; returns how many.
local function trim(index, whole, now, count, age_ms, bytes, most, drop)
  local members = soft('ZRANGEBYSCORE', index, '-inf', text(now - age_ms), 'LIMIT', 0, most)
  if not members then return 0 end
  for _, member in ipairs(members) do drop(member) end
  local dropped = #members
  local over = math.min(redis.call('ZCARD', index) - count, most - dropped)
  if over > 0 then
    for _, member in ipairs(redis.call('ZRANGE', index, 0, over - 1)) do drop(member) end
    dropped = dropped + over
  end
  over = (tonumber(soft('MEMORY', 'USAGE', whole, 'SAMPLES', 1000) or 0) or 0) - bytes
  while over > 0 and dropped < most do
    local member = redis.call('ZRANGE', index, 0, 0)[1]
    if not member then break end
    over = over - (tonumber(soft('HSTRLEN', whole, member) or 0) or 0) - #member - 64
    drop(member)
    dropped = dropped + 1
  end
  return dropped
end

-- Cuts the history to about its bounds (whole nodes of its tree go, a hundred entries each). Who writes to it keeps its
-- count as well, a worker of several queues by the largest of theirs.
local function trim_history(n, now, count, age_ms, bytes)
  soft('XTRIM', n.history, 'MAXLEN', '~', count)
  soft('XTRIM', n.history, 'MINID', '~', text(now - age_ms))
  local used = tonumber(soft('MEMORY', 'USAGE', n.history, 'SAMPLES', 100) or 0) or 0
  if used > bytes then soft('XTRIM', n.history, 'MAXLEN', '~', math.floor(redis.call('XLEN', n.history) * bytes / used)) end
end

-- Keeps the history, the failed jobs and the garbage in the quarantine within their bounds; what a rule has set aside are
-- jobs, and stays. `at` is where the usual bounds begin in ARGV: count, age (ms) and bytes of the history, then of the
-- failed jobs, then of the garbage. Returns how many of the latter two were dropped.
local function keep_bounds(n, now, most, at)
  local function bound(name, offset) return bound_of(n, name, ARGV[at + offset]) end
  trim_history(n, now, bound('history_count', 0), bound('history_age_ms', 1), bound('history_bytes', 2))
  local failed = trim(n.failed, n.failed_jobs, now,
    bound('failed_count', 3), bound('failed_age_ms', 4), bound('failed_bytes', 5), most,
    function(key) take_failed(n, key) end)
  local garbage = trim(n.garbage, n.quarantine, now,
    bound('quarantine_count', 6), bound('quarantine_age_ms', 7), bound('quarantine_bytes', 8), most,
    function(id)
      redis.call('ZREM', n.garbage, id)
      redis.call('HDEL', n.quarantine, id)
    end)
  return failed, garbage
end
