-- Takes schedules away. Their ledger stays until its bounds; a tick that waits is told as skipped.
-- Preludes: names, runs.
-- KEYS[1]  qd:schedule-due:Q, for the cluster slot
-- ARGV[1]  Q
-- ARGV[2]  the time in ms for tests, 0 for the server's
-- ARGV[3]  1 to keep what operators decided (edits, pause), so that a definition that comes back finds it; else 0
-- then for each schedule two arguments: name, digest as it was read ('' for whatever it is)
-- Returns {now, removed {name, ...}}

local n = keys_of(ARGV[1])
local now = clock_ms(ARGV[2])
local removed = {}
for i = 4, #ARGV, 2 do
  local name = ARGV[i]
  local digest = digest_of(n, name)
  if digest ~= '' and (ARGV[i + 1] == '' or ARGV[i + 1] == digest) then
    local tick = redis.call('HGET', n.waiting, name)
    if tick then
      write_run(n, now, tick .. '/' .. name, name, tonumber(tick), 'skipped', 'the schedule was removed', 0, 'SKIPPED', '')
      redis.call('HDEL', n.waiting, name)
    end
    redis.call('HDEL', n.schedules, name)
    redis.call('HDEL', n.broken, name)
    redis.call('ZREM', n.due, name)
    for _, field in ipairs({'tick', 'last', 'manual', 'skip'}) do redis.call('HDEL', n.states, field_of(name, field)) end
    if ARGV[3] ~= '1' then
      redis.call('HDEL', n.edits, name)
      for _, field in ipairs({'paused', 'until', 'pauser'}) do redis.call('HDEL', n.states, field_of(name, field)) end
    end
    removed[#removed + 1] = name
  end
end
return {now, removed}
