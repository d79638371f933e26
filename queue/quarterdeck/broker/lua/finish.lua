#!lua flags=allow-oom
-- Settles jobs for somebody who is no worker: a client's finish or retry, a rescuer's verdict.
-- Preludes: names, failed, settle.
-- KEYS[1]  saq:Q:queued, for the cluster slot
-- ARGV[1]  how many entries the history holds
-- ARGV[2]  Q
-- then counts and settlements (settle.lua)
-- Returns {server's clock in ms, refused settlements, errors}.

local now = clock_ms()
local refused = settle_all({names_of(ARGV[2])}, 3, ARGV[1], now)
return {now, refused, errors}
