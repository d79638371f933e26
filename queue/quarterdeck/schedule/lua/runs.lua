-- Prelude: writing runs into the ledger and jobs onto the queue. Needs names.lua.

-- Writes a run: its record, and its place in the queue's ledger and in its schedule's own.
local function write_run(n, now, id, name, tick, outcome, cause, late, status, key)
  local record = {name, text(tick), outcome, (string.gsub(cause, '%c', ' ')), text(late), status, key, text(now)}
  redis.call('HSET', n.runs, id, table.concat(record, '\t'))
  redis.call('ZADD', n.ledger, text(now), id)
  redis.call('ZADD', n.history .. name, text(tick), id)
end

-- Remembers for 25 hours that a tick was late or did not run, though nobody wanted that.
local function count_missed(n, now, id, name, tick)
  local key = n.missed .. name
  redis.call('ZADD', key, text(tick), id)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', text(now - 90000000))
  redis.call('EXPIRE', key, 90000)
end

local function running(n, key)
  return key and key ~= '' and redis.call('ZSCORE', n.incomplete, n.prefix .. key)
end

-- Puts a new job at the end of the queue, and counts it. The payload is made of `parts`, whose three gaps take the
-- tick (twice: key and meta) and the time.
local function push(n, now, key, parts, tick)
  local id, at = n.prefix .. key, text(tick)
  redis.call('SET', id, parts[1] .. at .. parts[2] .. at .. parts[3] .. text(now) .. parts[4])
  redis.call('ZADD', n.incomplete, 0, id)
  redis.call('RPUSH', n.queued, id)
  local minute = n.minute .. math.floor(now / 60000)
  if redis.call('HINCRBY', minute, 'in', 1) == 1 then redis.call('EXPIRE', minute, 93600) end
end

-- Takes runs out of the ledger: `ids` of them.
local function drop_runs(n, ids)
  for _, id in ipairs(ids) do
    local name = string.match(id, '^[^/]*/(.*)$') or ''
    redis.call('HDEL', n.runs, id, id .. '\te')
    redis.call('ZREM', n.ledger, id)
    redis.call('ZREM', n.open, id)
    redis.call('ZREM', n.history .. name, id)
  end
end

-- Keeps the ledger within its bounds, a hundred runs a call.
local function trim_ledger(n, now, most, age_ms)
  local over = redis.call('ZCARD', n.ledger) - most
  if over > 0 then drop_runs(n, redis.call('ZRANGE', n.ledger, 0, math.min(over, 100) - 1)) end
  drop_runs(n, redis.call('ZRANGEBYSCORE', n.ledger, '-inf', text(now - age_ms), 'LIMIT', 0, 100))
end

local function trim_history(n, name, most)
  local over = redis.call('ZCARD', n.history .. name) - most
  if over > 0 then drop_runs(n, redis.call('ZRANGE', n.history .. name, 0, math.min(over, 100) - 1)) end
end
