-- One look at the clock: claims, enqueues, records and advances every due tick that the caller came prepared for, and
-- says what is due next. Lua can't read cron, so the caller brings the ticks; the server's clock says which are due.
-- Preludes: names, runs.
-- KEYS[1]  qd:schedule-due:Q, for the cluster slot
-- ARGV[1]  Q
-- ARGV[2]  the time in ms for tests, 0 for the server's
-- ARGV[3]  how far ahead the caller wants to know what comes, ms
-- ARGV[4]  how many of those at most
-- ARGV[5]  runs kept in the ledger, ARGV[6] runs kept of one schedule, ARGV[7] how long they are kept, ms
-- then proposals as msgpack, of two kinds:
--   {'tick', name, digest, tick, ticks, parts, key base, overlap, catch-up, bound, window ms, grace ms, earlier}
--     tick: the stored one, the compare of compare-and-set; ticks: {tick, due, tick, due, ...} from that one on, at
--     least one that is not due; earlier: {first tick, words} for those that are too many to be told one by one, or {}
--   {'release', name, digest, tick, parts, key base}: a tick that waited for the run before it
-- Returns {now, fired {name, run, key, ...}, changed {name, ...}, upcoming {name, tick, due, digest, ...}, next due or -1,
--   waiting {name, tick, 1 when it may start, digest, ...}, cancels {key, ...}, definitions, due entries,
--   open runs, repaired {name, ...}}

local n = keys_of(ARGV[1])
local now = clock_ms(ARGV[2])
local horizon = now + tonumber(ARGV[3])
local kept = tonumber(ARGV[6])
local fired, changed = {}, {}
local wrote = false

local function note(id, name, tick, outcome, cause, late, status, key)
  write_run(n, now, id, name, tick, outcome, cause, late, status, key)
  wrote = true
end

local function skip(name, tick, cause, wanted)
  local id = text(tick) .. '/' .. name
  note(id, name, tick, 'skipped', cause, 0, 'SKIPPED', '')
  if not wanted then count_missed(n, now, id, name, tick) end
end

local function start(name, tick, late, outcome, cause, parts, base)
  local id, key = text(tick) .. '/' .. name, base .. text(tick)
  push(n, now, key, parts, tick)
  note(id, name, tick, outcome, cause, late, 'RUNNING', key)
  redis.call('ZADD', n.open, text(now), id)
  redis.call('HSET', n.states, field_of(name, 'last'), key)
  if outcome == 'late' then count_missed(n, now, id, name, tick) end
  fired[#fired + 1] = name
  fired[#fired + 1] = id
  fired[#fired + 1] = key
end

local function is_paused(name)
  local pause = redis.call('HMGET', n.states, field_of(name, 'paused'), field_of(name, 'until'))
  local ends = tonumber(pause[2] or '0') or 0
  return pause[1] and (ends == 0 or now < ends)
end

-- The key of a run of this schedule that is not over, or nil.
local function previous(name)
  local keys = redis.call('HMGET', n.states, field_of(name, 'last'), field_of(name, 'manual'))
  return running(n, keys[1]) and keys[1] or running(n, keys[2]) and keys[2] or nil
end

local function wait(name, tick, key)
  redis.call('HSET', n.waiting, name, text(tick))
  note(text(tick) .. '/' .. name, name, tick, 'late', 'waits for the run before it: ' .. key, 0, 'WAITING', '')
end

-- Fires one tick as the overlap policy allows.
local function fire(p, tick, late, outcome, cause)
  local name, overlap = p[2], p[8]
  local key = overlap ~= 'allow' and previous(name)
  if not key then return start(name, tick, late, outcome, cause, p[6], p[7]) end
  if overlap == 'skip' then return skip(name, tick, 'the run before it is still going: ' .. key) end
  local waits = redis.call('HGET', n.waiting, name)
  if overlap == 'queue' then
    if waits then return skip(name, tick, 'the run before it is still going, and one waits: ' .. key) end
    return wait(name, tick, key)
  end
  -- cancel: the newest tick waits until the run before it has been stopped.
  if waits then skip(name, tonumber(waits), 'a newer tick came while it waited') end
  redis.call('HSET', n.cancels, key, name)
  wait(name, tick, key)
end

-- Why a tick that nobody came for in time does not run, or nil.
local function why_stale(p, late, newer, newer_stale)
  local policy, bound, window = p[9], p[10], p[11]
  if policy == 'none' then return 'no scheduler ran' end
  if late > window then return 'no scheduler ran, and it is older than the catch-up window' end
  if policy == 'latest' and newer > 0 then return 'no scheduler ran; a later tick stands for it' end
  if policy == 'all' and newer_stale >= bound then return 'no scheduler ran, and it is beyond the catch-up bound' end
end

local function decide(p, name, ticks, due)
  local pause = redis.call('HMGET', n.states, field_of(name, 'paused'), field_of(name, 'until'), field_of(name, 'pauser'))
  local ends = pause[1] and (tonumber(pause[2] or '0') or 0)
  local skips = redis.call('HGET', n.states, field_of(name, 'skip'))
  local stale = 0
  while stale < due and now - ticks[2 * stale + 2] > p[12] do stale = stale + 1 end
  if p[13] and p[13][1] then
    local tick = p[13][1]
    skip(name, tick, p[13][2])
  end
  for i = 1, due do
    local tick, at = ticks[2 * i - 1], ticks[2 * i]
    local late = now - at
    local reason = i <= stale and why_stale(p, late, due - i, stale - i)
    if ends and (ends == 0 or at < ends) then
      skip(name, tick, 'paused by ' .. (pause[3] or '?'), true)
    elseif skips then
      skip(name, tick, 'skipped by ' .. skips, true)
      redis.call('HDEL', n.states, field_of(name, 'skip'))
      skips = nil
    elseif reason then
      skip(name, tick, reason)
    elseif i <= stale then
      fire(p, tick, late, 'late', 'no scheduler ran')
    else
      fire(p, tick, late, 'ran', '')
    end
  end
  if ends and ends > 0 and now >= ends then
    redis.call('HDEL', n.states, field_of(name, 'paused'), field_of(name, 'until'), field_of(name, 'pauser'))
  end
end

local kinds = {}

function kinds.tick(p)
  local name, ticks = p[2], p[5]
  local stored = tonumber(redis.call('HGET', n.states, field_of(name, 'tick')) or '')
  if stored ~= p[4] or digest_of(n, name) ~= p[3] then
    changed[#changed + 1] = name
    return
  end
  local last, due = #ticks / 2, 0
  while due < last and ticks[2 * due + 2] <= now do due = due + 1 end
  -- The last one given stays the stored tick, due or not: what comes after it is not known here.
  if due == last then due = last - 1 end
  if due > 0 then decide(p, name, ticks, due) end
  redis.call('HSET', n.states, field_of(name, 'tick'), text(ticks[2 * due + 1]))
  redis.call('ZADD', n.due, text(ticks[2 * due + 2]), name)
  if due > 0 then trim_history(n, name, kept) end
end

function kinds.release(p)
  local name, tick = p[2], p[4]
  if redis.call('HGET', n.waiting, name) ~= text(tick) or digest_of(n, name) ~= p[3] then
    changed[#changed + 1] = name
    return
  end
  if previous(name) or is_paused(name) then return end
  redis.call('HDEL', n.waiting, name)
  start(name, tick, now - tick, 'late', 'waited for the run before it', p[5], p[6])
end

for i = 8, #ARGV do
  local p = cmsgpack.unpack(ARGV[i])
  kinds[p[1]](p)
end
if wrote then trim_ledger(n, now, tonumber(ARGV[5]), tonumber(ARGV[7])) end

local upcoming = {}
local soon = redis.call('ZRANGEBYSCORE', n.due, '-inf', text(horizon), 'WITHSCORES', 'LIMIT', 0, ARGV[4])
for i = 1, #soon, 2 do
  local name = soon[i]
  upcoming[#upcoming + 1] = name
  upcoming[#upcoming + 1] = redis.call('HGET', n.states, field_of(name, 'tick')) or ''
  upcoming[#upcoming + 1] = soon[i + 1]
  upcoming[#upcoming + 1] = digest_of(n, name)
end
local later = redis.call('ZRANGEBYSCORE', n.due, '(' .. text(horizon), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)

local waiting = {}
local held = redis.call('HGETALL', n.waiting)
for i = 1, #held, 2 do
  waiting[#waiting + 1] = held[i]
  waiting[#waiting + 1] = held[i + 1]
  waiting[#waiting + 1] = (previous(held[i]) or is_paused(held[i])) and 0 or 1
  waiting[#waiting + 1] = digest_of(n, held[i])
end

local repaired = {}
local broken = redis.call('HGETALL', n.broken)
for i = 1, #broken, 2 do
  if string.sub(broken[i + 1], 1, 40) ~= digest_of(n, broken[i]) then repaired[#repaired + 1] = broken[i] end
end

return {now, fired, changed, upcoming, later[2] or '-1', waiting, redis.call('HKEYS', n.cancels),
  redis.call('HLEN', n.schedules), redis.call('ZCARD', n.due), redis.call('ZCARD', n.open), repaired}
