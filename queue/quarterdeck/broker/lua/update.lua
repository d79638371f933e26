#!lua flags=allow-oom
-- Replaces a job's payload if it is still what was read; keeps its time to live.
-- KEYS[1]  the job's ID
-- ARGV[1]  the payload it was read with
-- ARGV[2]  the payload to store
-- ARGV[3]  the status to publish
-- Returns 1, or the payload of now when it changed meanwhile ('' when the job is gone).

local is = redis.call('GET', KEYS[1])
if is ~= ARGV[1] then return is or '' end
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
redis.call('PUBLISH', KEYS[1], ARGV[3])
return 1
