#!lua flags=allow-oom
-- Settles jobs for somebody who is no worker: a client's finish or retry, a rescuer's verdict.
-- Preludes: names, tell, failed, run, settle, settle_each, settle_all.
-- KEYS[1]  saq:Q:queued, for the cluster slot
-- ARGV[1]  how many entries the history holds unless qd:retention:Q says otherwise
-- ARGV[2]  Q
-- then counts and settlements (settle.lua)
-- Returns {server's clock in ms, refused settlements, errors}.

local now = clock_ms()
local n = names_of(ARGV[2])
local refused = settle_all({n}, 3, soft('HGET', n.retention, 'history_count') or ARGV[1], now)
return {now, refused, errors}
