#!lua flags=allow-oom
-- Adds the minutes that are over to their hours, each once, and trims history, failed jobs and quarantine to their bounds.
-- Preludes: names, failed, keeping.
-- KEYS[1]  saq:Q:queued, for the cluster slot
-- ARGV[1]  Q
-- ARGV[2]  how many are dropped at most, of failed jobs and of garbage
-- ARGV[3]  the bounds unless qd:retention:Q says otherwise: how many entries of the history, ARGV[4] for how long (ms),
--          ARGV[5] of how many bytes; the same of failed jobs (ARGV[6] to [8]) and of garbage (ARGV[9] to [11])
-- Returns {minutes added, failed jobs dropped, garbage dropped}.

local n = names_of(ARGV[1])
local now = clock_ms()
return {add_minutes(n, now), keep_bounds(n, now, tonumber(ARGV[2]), 3)}
