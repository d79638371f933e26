-- Tells once more that jobs have ended, to those who listen to all of a queue's jobs, as stock clients do.
-- Preludes: names.
-- KEYS[1]  saq:Q:queued, for the cluster slot
-- ARGV[1]  Q
-- then for each job two arguments: ID, status
-- Returns how many were told of; one that is waiting or running (again) is not.

if redis.call('PUBSUB', 'NUMPAT') == 0 then return 0 end
local n = names_of(ARGV[1])
local told = 0
for i = 2, #ARGV, 2 do
  if not redis.call('ZSCORE', n.incomplete, ARGV[i]) then
    redis.call('PUBLISH', ARGV[i], ARGV[i + 1])
    told = told + 1
  end
end
return told
