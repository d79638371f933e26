-- Prelude: names of a queue's keys that the record touches (those of quarterdeck/keys.py; a test compares them), the
-- server's clock, and jobs in and out of the failed index.

local function names_of(q)
  return {
    queued = 'saq:' .. q .. ':queued',
    incomplete = 'saq:' .. q .. ':incomplete',
    prefix = 'saq:job:' .. q .. ':',
    workers = 'qd:workers:' .. q,
    lease = 'qd:lease:' .. q,
    history = 'qd:history:' .. q,
    failed = 'qd:failed:' .. q,
    failed_rows = 'qd:failed-rows:' .. q,
    failed_jobs = 'qd:failed-jobs:' .. q,
    signatures = 'qd:signatures:' .. q,
    signature_rows = 'qd:signature-rows:' .. q,
    retention = 'qd:retention:' .. q,
    recorded = 'qd:recorded:' .. q,
    folded = 'qd:folded:' .. q,
    by_signature = 'qd:failed-sig:' .. #q .. ':' .. q .. ':',
    by_function = 'qd:failed-fn:' .. #q .. ':' .. q .. ':',
    minute = 'qd:minute:' .. q .. ':',
    hour = 'qd:hour:' .. q .. ':',
  }
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Numbers as text without an exponent: Lua writes 1.7e+12 for what is above 14 digits.
local function text(number) return string.format('%.0f', number) end

-- Takes KEY out of the failed index.
local function take_failed(n, key)
  local ok, row = pcall(cjson.decode, redis.call('HGET', n.failed_rows, key) or '')
  redis.call('ZREM', n.failed, key)
  redis.call('HDEL', n.failed_rows, key)
  redis.call('HDEL', n.failed_jobs, key)
  if not ok or type(row) ~= 'table' then return end
  local signature, name = row['signature'], row['function']
  if type(signature) == 'string' and signature ~= '' then
    redis.call('ZREM', n.by_signature .. signature, key)
    if redis.call('EXISTS', n.by_signature .. signature) == 0 then
      redis.call('ZREM', n.signatures, signature)
      redis.call('HDEL', n.signature_rows, signature)
    end
  end
  if type(name) == 'string' then redis.call('ZREM', n.by_function .. name, key) end
end

local function put_failed(n, key, at, name, signature, signature_row, row, payload)
  take_failed(n, key)
  redis.call('ZADD', n.failed, at, key)
  redis.call('HSET', n.failed_rows, key, row)
  redis.call('HSET', n.failed_jobs, key, payload)
  redis.call('ZADD', n.by_function .. name, at, key)
  if signature ~= '' then
    redis.call('ZADD', n.by_signature .. signature, at, key)
    redis.call('ZADD', n.signatures, 'GT', at, signature)
    redis.call('HSETNX', n.signature_rows, signature, signature_row)
  end
end
