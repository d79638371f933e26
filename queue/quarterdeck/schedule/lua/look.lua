-- Reads schedules or runs (reading.lua), for callers without a snapshot.
-- Preludes: names, reading.
-- KEYS[1]  qd:schedule-due:Q, for the cluster slot
-- ARGV[1]  Q
-- ARGV[2]  the time in ms for tests, 0 for the server's
-- ARGV[3]  what: schedules (first, count, runs of each), schedule (name, runs), runs (name or '', low, high, first, count)
-- Returns {now, what reading.lua says}

local now = clock_ms(ARGV[2])
if ARGV[3] == 'schedules' then
  return {now, schedule_window(ARGV[1], now, tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]))}
elseif ARGV[3] == 'schedule' then
  return {now, schedule_of(keys_of(ARGV[1]), ARGV[4], now, tonumber(ARGV[5]))}
end
return {now, run_window(ARGV[1], ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8]))}
