-- Writes definitions, by compare-and-set on what the caller read: several workers may define at once.
-- Preludes: names, runs.
-- KEYS[1]  qd:schedule-due:Q, for the cluster slot
-- ARGV[1]  Q
-- ARGV[2]  the time in ms for tests, 0 for the server's
-- then definitions as msgpack: {name, digest as it was read ('' for none), the code's record or false to leave it,
--   the operators' record, '' to remove it or false to leave it, tick, due} — tick is 0 to keep the stored one
-- Returns {now, changed {name, ...}}: changed were not written, because somebody else had changed them.
-- A tick that was due and that no scheduler had taken when its times are changed does not fire; the ledger says so.

local n = keys_of(ARGV[1])
local now = clock_ms(ARGV[2])
local changed = {}

local function note_lost_tick(name)
  local tick = tonumber(redis.call('HGET', n.states, field_of(name, 'tick')) or nil)
  local due = tonumber(redis.call('ZSCORE', n.due, name) or nil)
  if not tick or not due or tick <= 0 or tick > due or due > now then return end
  local id = text(tick) .. '/' .. name
  if redis.call('HEXISTS', n.runs, id) == 1 then return end
  local cause = 'its times were changed before a scheduler took it, and any tick after it'
  write_run(n, now, id, name, tick, 'skipped', cause, 0, 'SKIPPED', '')
  count_missed(n, now, id, name, tick)
end

for i = 3, #ARGV do
  local d = cmsgpack.unpack(ARGV[i])
  local name = d[1]
  if digest_of(n, name) ~= d[2] then
    changed[#changed + 1] = name
  else
    if d[3] then redis.call('HSET', n.schedules, name, d[3]) end
    if d[4] == '' then
      redis.call('HDEL', n.edits, name)
    elseif d[4] then
      redis.call('HSET', n.edits, name, d[4])
    end
    if d[5] > 0 then
      if d[2] ~= '' and (d[3] or d[4]) then note_lost_tick(name) end
      redis.call('HSET', n.states, field_of(name, 'tick'), text(d[5]))
      redis.call('ZADD', n.due, text(d[6]), name)
    end
    redis.call('HDEL', n.broken, name)
  end
end
return {now, changed}
