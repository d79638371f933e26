#!lua flags=allow-oom
-- Puts what was set aside as unreadable back into the queue, as a job that can be read.
-- KEYS[1]  saq:Q:queued, for the cluster slot
-- ARGV[1]  Q, ARGV[2] its field in qd:quarantine:Q, ARGV[3] the record that was read there, ARGV[4] the job's KEY,
-- ARGV[5]  its payload
-- Returns 'ok', 'changed' (the record is gone or another one), 'queued' (a job of that key is there already).

local names = names_of(ARGV[1])
local id = names.prefix .. ARGV[4]
if redis.call('HGET', names.quarantine, ARGV[2]) ~= ARGV[3] then return 'changed' end
if redis.call('ZSCORE', names.incomplete, id) or redis.call('EXISTS', id) == 1 then return 'queued' end
redis.call('SET', id, ARGV[5])
redis.call('ZADD', names.incomplete, 0, id)
redis.call('RPUSH', names.queued, id)
redis.call('HDEL', names.quarantine, ARGV[2])
redis.call('ZREM', names.garbage, ARGV[2])
return 'ok'
