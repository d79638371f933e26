-- Writes how runs ended.
-- Preludes: names (the engine's), run (the engine's).
-- KEYS[1]  qd:schedule-due:Q, for the cluster slot
-- ARGV[1]  Q, then for each run six arguments: run, status, start ms, end ms, duration ms, result or error
-- Returns how many were written.

local n = names_of(ARGV[1])
local done = 0
for i = 2, #ARGV, 6 do
  done = done + settle_run(n, ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4], ARGV[i + 5])
end
return done
