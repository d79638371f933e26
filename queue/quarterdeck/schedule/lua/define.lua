-- Writes definitions, by compare-and-set on what the caller read: several workers may define at once.
-- Preludes: names, runs.
-- KEYS[1]  qd:schedule-due:Q, for the cluster slot
-- ARGV[1]  Q
-- ARGV[2]  the time in ms for tests, 0 for the server's
-- then definitions as msgpack: {name, digest as it was read ('' for none), the code's record or false to leave it,
--   the operators' record, '' to remove it or false to leave it, tick, due} — tick is 0 to keep the stored one
-- Returns {now, changed {name, ...}}: changed were not written, because somebody else had changed them.

local n = keys_of(ARGV[1])
local changed = {}
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
      redis.call('HSET', n.states, field_of(name, 'tick'), text(d[5]))
      redis.call('ZADD', n.due, text(d[6]), name)
    end
    redis.call('HDEL', n.broken, name)
  end
end
return {clock_ms(ARGV[2]), changed}
