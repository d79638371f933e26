-- Records attempts of jobs that stock workers ended, as far as they were seen.
-- Preludes: names, failed.
-- KEYS[1]  saq:Q:queued, for the cluster slot
-- ARGV[1]  Q
-- ARGV[2]  how many entries the history holds unless qd:retention:Q says otherwise
-- ARGV[3]  how long an observation is remembered, ms: several recorders see the same and record it once
-- then for each attempt thirteen arguments:
--   what names the observation, worker id, KEY, function, status, duration in µs (-1: unknown), histogram bucket,
--   history entry, signature, its row, the failed job's row (empty: it did not fail), its payload,
--   when it failed (ms) for one found long after: then only the failed index is written, if the job is not in it
-- Returns for each: 'recorded', 'known' (somebody recorded it), 'deck' (our workers record their own).

local n = names_of(ARGV[1])
local now = clock_ms()
local bound = redis.call('HGET', n.retention, 'history_count') or ARGV[2]
local minute = n.minute .. text(math.floor(now / 60000))
local answers = {}

local function count(field, by) redis.call('HINCRBY', minute, field, by) end

local function record(i)
  local what, worker, key, name, status = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  local found_late = ARGV[i + 12] ~= ''
  if worker ~= '' and redis.call('HEXISTS', n.workers, worker) == 1 then return 'deck' end
  if found_late then
    if redis.call('ZSCORE', n.failed, key) or redis.call('ZSCORE', n.incomplete, n.prefix .. key) then return 'known' end
  elseif redis.call('ZADD', n.recorded, 'NX', text(now), what) == 0 then
    return 'known'
  else
    redis.call('XADD', n.history, 'MAXLEN', '~', bound, '*', 'r', ARGV[i + 7])
    count(name .. '\t' .. status, 1)
    if tonumber(ARGV[i + 5]) >= 0 then
      count(name .. '\tb' .. ARGV[i + 6], 1)
      count(name .. '\tus', ARGV[i + 5])
    end
  end
  if ARGV[i + 10] ~= '' then
    local at = found_late and ARGV[i + 12] or text(now)
    put_failed(n, key, at, ARGV[i + 8], ARGV[i + 9], name, ARGV[i + 10], ARGV[i + 11])
  elseif status == 'complete' then
    take_failed(n, key)
  end
  return 'recorded'
end

for i = 4, #ARGV, 13 do answers[#answers + 1] = record(i) end
redis.call('ZREMRANGEBYSCORE', n.recorded, '-inf', text(now - tonumber(ARGV[3])))
redis.call('PEXPIRE', n.recorded, ARGV[3])
redis.call('EXPIRE', minute, 93600)
redis.call('SADD', 'qd:queues', ARGV[1])
return answers
