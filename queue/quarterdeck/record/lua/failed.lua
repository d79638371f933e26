-- Prelude: the index of failed jobs, in and out. `n` is what names_of gives.

local function index_of(row)
  if not row then return nil, nil end
  local ok, decoded = pcall(cjson.decode, row)
  if not ok or type(decoded) ~= 'table' then return nil, nil end
  return decoded['signature'], decoded['function']
end

-- Takes KEY out of the failed index; returns whether it was there.
local function take_failed(n, key)
  if redis.call('ZREM', n.failed, key) == 0 then return false end
  local signature, name = index_of(redis.call('HGET', n.failed_rows, key))
  redis.call('HDEL', n.failed_rows, key)
  redis.call('HDEL', n.failed_jobs, key)
  if type(signature) == 'string' then
    redis.call('ZREM', n.failed_of_signature .. signature, key)
    if redis.call('EXISTS', n.failed_of_signature .. signature) == 0 then
      redis.call('ZREM', n.signatures, signature)
      redis.call('HDEL', n.signature_rows, signature)
    end
  end
  if type(name) == 'string' then redis.call('ZREM', n.failed_of_function .. name, key) end
  return true
end

-- Puts KEY into the failed index: when it failed (ms), its signature's id and row, its function, its row, its payload.
local function put_failed(n, key, at, signature, signature_row, name, row, payload)
  take_failed(n, key)
  redis.call('ZADD', n.failed, at, key)
  redis.call('HSET', n.failed_rows, key, row)
  redis.call('HSET', n.failed_jobs, key, payload)
  redis.call('ZADD', n.failed_of_function .. name, at, key)
  if signature ~= '' then
    redis.call('ZADD', n.failed_of_signature .. signature, at, key)
    redis.call('ZADD', n.signatures, 'GT', at, signature)
    redis.call('HSETNX', n.signature_rows, signature, signature_row)
  end
end
