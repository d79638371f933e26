-- Prelude of the operators' scripts: what goes into the recycle bin, and what leaves it by itself.

-- Returns a function that puts one thing into the bin of Q: KEY, what it was ('failed', 'queued', 'scheduled',
-- 'complete', 'aside'), its time or score there, its row, its payload, its signature's row.
local function binner(queue, who, act, keep, now)
  return function(key, was, at, row, raw, signature_row)
    local member = act .. '/' .. key
    redis.call('ZADD', 'qd:bin:' .. queue, now, member)
    redis.call('HSET', 'qd:bin-jobs:' .. queue, member, cjson.encode({
      key = key, was = was, at = tostring(at), who = who, act = act, deleted_ms = now, expires_ms = now + keep,
    }), member .. '\0row', row or '', member .. '\0raw', raw or '', member .. '\0sig', signature_row or '')
  end
end

-- Lets go what has been in the bin of Q for longer than `keep` ms, and the oldest beyond `most`; 1,000 of each a call.
local function thin_bin(queue, most, keep, now)
  local bin_key, bin_jobs = 'qd:bin:' .. queue, 'qd:bin-jobs:' .. queue
  local function forget(member)
    redis.call('ZREM', bin_key, member)
    redis.call('HDEL', bin_jobs, member, member .. '\0row', member .. '\0raw', member .. '\0sig')
  end
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', bin_key, '-inf', now - keep, 'LIMIT', 0, 1000)) do
    forget(member)
  end
  local over = redis.call('ZCARD', bin_key) - most
  if over > 0 then
    for _, member in ipairs(redis.call('ZRANGE', bin_key, 0, math.min(over, 1000) - 1)) do forget(member) end
  end
end
