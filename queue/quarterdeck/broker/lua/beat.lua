#!lua flags=allow-oom
-- A worker's sign of life: renews its lease, tells what it does, keeps stock sweeps off, samples the queues.
-- Preludes: names.
-- KEYS[i]  saq:Q:queued of each queue, home first
-- ARGV[1]  worker id
-- ARGV[2]  length of the lease, ms
-- ARGV[3]  the record WorkerBeat, with -1 for beat_ms, where the server's clock belongs
-- ARGV[4]  SAQ's own record of the worker (WorkerInfo), or empty when it is not due
-- ARGV[5]  how long that lives, s
-- ARGV[6]  the worker's own clock, ms (SAQ's registry is kept by workers' clocks)
-- ARGV[7]  the id under which SAQ's record is kept: the one the worker was given
-- ARGV[8]  number of queues, then their names, home first
-- Returns {server's clock in ms, 1 when the lease had ended, other workers whose lease has ended, of each queue how many
--   entries its history is set to hold (or nil), rules [queue, id, record, ...], commands [record, ...]}.

local worker, lease_ms = ARGV[1], tonumber(ARGV[2])
local now = clock_ms()
local record = string.gsub(ARGV[3], '"beat_ms":%-1', '"beat_ms":' .. text(now), 1)
local lost, dead, bounds, commands, rules = 0, 0, {}, {}, {}

local function sample(n)
  local depth = redis.pcall('LLEN', n.queued)
  if type(depth) ~= 'number' then return end
  local minute = n.minute .. math.floor(now / 60000)
  local head = depth > 0 and redis.call('LINDEX', n.queued, 0)
  local payload = head and redis.call('MGET', head)[1]
  local queued = payload and string.match(payload, '"queued":%s?(%d+)')
  local oldest = queued and math.max(0, now - tonumber(queued)) or 0
  soft('HSET', minute, 'depth', depth, 'oldest', text(oldest))
  redis.call('EXPIRE', minute, 93600)
end

for i = 9, 8 + tonumber(ARGV[8]) do
  local n = names_of(ARGV[i])
  local ends = redis.call('ZSCORE', n.lease, worker)
  if i == 9 and (not ends or tonumber(ends) <= now) then lost = 1 end
  redis.call('ZADD', n.lease, now + lease_ms, worker)
  soft('HSET', n.workers, worker, record)
  redis.call('SET', n.sweep_lock, '1', 'EX', 60)
  if ARGV[4] ~= '' then
    local own = tonumber(ARGV[6])
    local member = n.worker_info .. ARGV[7]
    redis.call('SET', member, ARGV[4], 'EX', ARGV[5])
    soft('ZREMRANGEBYSCORE', n.stats, 0, text(own))
    soft('ZADD', n.stats, text(own + ARGV[5] * 1000), member)
    redis.call('EXPIRE', n.stats, ARGV[5])
  end
  sample(n)
  bounds[i - 8] = soft('HGET', n.retention, 'history_count') or false
  dead = dead + redis.call('ZCOUNT', n.lease, '-inf', text(now))
  local control = n.control .. worker
  local asked = soft('LRANGE', control, 0, 15) or {}
  if #asked > 0 then
    redis.call('LTRIM', control, #asked, -1)
    for _, command in ipairs(asked) do commands[#commands + 1] = command end
  end
  local of_queue = soft('HGETALL', n.rules) or {}
  for j = 1, #of_queue, 2 do
    rules[#rules + 1] = n.queue
    rules[#rules + 1] = of_queue[j]
    rules[#rules + 1] = of_queue[j + 1]
  end
end
return {now, lost, dead, bounds, rules, commands}
