-- Prelude: what becomes of jobs that somebody holds. Needs names.lua, failed.lua and run.lua.
--
-- A settlement is twelve arguments:
--    1  number of its queue (from 1) among the queues of the call
--    2  what to do:  e ended   r retry   b back to the front   q quarantine   h hold by a rule   d drop
--    3  the job's ID
--    4  who must hold it: W/TOKEN; empty: nobody may; *: whoever
--    5  the payload to store; for d and q empty
--    6  e: SAQ's ttl in s (0 for ever, -1 not at all); r, b: epoch s when it is due, 0 now
--    7  status to publish and count: complete, failed, retried, aborted; empty: none
--    8  function
--    9  duration in µs
--   10  its histogram bucket
--   11  the history entry; empty: none
--   12  what else, as msgpack, or empty: {failed = {at, signature, signature row, row}, record = quarantine record,
--       steps = {{'enqueue', queue, KEY, payload, due}, {'join', hash, index, result, size, placeholder, {queue, KEY,
--       payload, due}, ...}, {'settle', run, ...}}, orphan = first seen (ms)/times}

local ITEM = 12
local errors = {}

local function try(...)
  local answer = redis.pcall(...)
  if type(answer) == 'table' and answer.err then
    errors[#errors + 1] = answer.err
    return nil
  end
  return answer
end

-- Adds a job that is new to a queue; false when the same key waits or runs, or is being aborted.
local function push(n, key, payload, due)
  local id = n.prefix .. key
  if redis.call('ZSCORE', n.incomplete, id) or redis.call('EXISTS', 'saq:abort:' .. key) == 1 then return false end
  redis.call('SET', id, payload)
  redis.call('ZADD', n.incomplete, due, id)
  if due == '0' or due == 0 then redis.call('RPUSH', n.queued, id) end
  return true
end

local function count_of(counts, n)
  local of = counts[n.queue]
  if not of then
    of = {}
    counts[n.queue] = of
  end
  return of
end

-- Writes counts gathered as counts[queue][field] into the running minute.
local function write_counts(counts, now)
  for queue, fields in pairs(counts) do
    local key = 'qd:minute:' .. queue .. ':' .. math.floor(now / 60000)
    for field, by in pairs(fields) do try('HINCRBY', key, field, by) end
    try('EXPIRE', key, 93600)
  end
end

local steps = {}

function steps.enqueue(_, step)
  local n = names_of(step[2])
  return push(n, step[3], step[4], step[5]) and {n.queue} or {}
end

-- Takes a place in a group; who takes the last one enqueues what follows, with all results for the placeholder.
function steps.join(_, step)
  local hash, size = step[2], tonumber(step[5])
  redis.call('HSET', hash, step[3], step[4])
  redis.call('EXPIRE', hash, 2592000)
  if redis.call('HLEN', hash) < size then return {} end
  local results = {}
  for i = 1, size do results[i] = redis.call('HGET', hash, tostring(i - 1)) or 'null' end
  local all = '[' .. table.concat(results, ',') .. ']'
  redis.call('DEL', hash)
  local queues = {}
  for i = 7, #step do
    local queue, key, payload, due = unpack(step[i])
    local from, upto = string.find(payload, step[6], 1, true)
    while from do
      payload = string.sub(payload, 1, from - 1) .. all .. string.sub(payload, upto + 1)
      from, upto = string.find(payload, step[6], from + #all, true)
    end
    if push(names_of(queue), key, payload, due) then queues[#queues + 1] = queue end
  end
  return queues
end

-- Writes how a scheduled run ended: {'settle', run, status, start ms, end ms, duration ms, result or error}.
function steps.settle(n, step)
  settle_run(n, unpack(step, 2))
  return {}
end

local function more_of(n, key, payload, name, more, counts)
  local ok, also = pcall(cmsgpack.unpack, more)
  if not ok then
    errors[#errors + 1] = 'settlement of ' .. key .. ': ' .. tostring(also)
    return
  end
  if also.failed then
    local f = also.failed
    local done, why = pcall(put_failed, n, key, f[1], f[2], f[3], name, f[4], payload)
    if not done then errors[#errors + 1] = tostring(type(why) == 'table' and why.err or why) end
  end
  for _, step in ipairs(also.steps or {}) do
    local done, why = pcall(steps[step[1]], n, step)
    if not done then
      errors[#errors + 1] = tostring(type(why) == 'table' and why.err or why)
    else
      for _, queue in ipairs(why or {}) do
        local of = count_of(counts, {queue = queue})
        of['in'] = (of['in'] or 0) + 1
      end
    end
  end
  return also
end

local function put_back(n, id, due, front)
  if tonumber(due) > 0 then
    try('ZADD', n.incomplete, due, id)
  else
    try('ZADD', n.incomplete, 0, id)
    try(front and 'LPUSH' or 'RPUSH', n.queued, id)
  end
end

-- Settles one held job; its owner was checked.
local function settle_one(n, base, counts, bound, now, gone)
  local what, id, payload = ARGV[base + 1], ARGV[base + 2], ARGV[base + 4]
  local due, status, name = ARGV[base + 5], ARGV[base + 6], ARGV[base + 7]
  local entry, more = ARGV[base + 10], ARGV[base + 11]
  local key = string.sub(id, #n.prefix + 1)
  try('LREM', n.active, 1, id)
  local also = more ~= '' and more_of(n, key, payload, name, more, counts)
  if what == 'e' then
    gone[#gone + 1] = id
    if due == '0' then
      redis.call('SET', id, payload)
    elseif string.sub(due, 1, 1) == '-' then
      redis.call('UNLINK', id)
    else
      redis.call('SET', id, payload, 'EX', due)
    end
  elseif what == 'r' or what == 'b' then
    redis.call('SET', id, payload)
    put_back(n, id, due, what == 'b')
    if also and also.orphan then try('HSET', n.orphans, id, also.orphan) end
  elseif what == 'q' then
    gone[#gone + 1] = id
    try('HSET', n.quarantine, id, also.record)
    if string.sub(id, 1, #n.prefix) == n.prefix then try('UNLINK', id) end
  elseif what == 'h' then
    gone[#gone + 1] = id
    redis.call('SET', id, payload)
    try('HSET', n.quarantine, id, also.record)
    try('ZADD', n.held, now, id)
  end
  if entry ~= '' then try('XADD', n.history, 'MAXLEN', '~', bound, '*', 'r', entry) end
  if status ~= '' then
    local of = count_of(counts, n)
    local ended, bucket, us = name .. '\t' .. status, name .. '\tb' .. ARGV[base + 9], name .. '\tus'
    of[ended] = (of[ended] or 0) + 1
    of[bucket] = (of[bucket] or 0) + 1
    of[us] = (of[us] or 0) + ARGV[base + 8]
    redis.call('PUBLISH', id, status == 'retried' and 'queued' or status)
  end
end

-- Settles the jobs whose arguments begin at `first`; `queues` are the calls' queues (names_of), `bound` the history's.
-- Returns the numbers (from 1) of those refused, because somebody else holds the job now.
local function settle_all(queues, first, bound, now, counts)
  local of_queue, refused = {}, {}
  for base = first, #ARGV, ITEM do
    local number = tonumber(ARGV[base])
    local bases = of_queue[number]
    if not bases then
      bases = {}
      of_queue[number] = bases
    end
    bases[#bases + 1] = base
  end
  for number, bases in pairs(of_queue) do
    local n, ids, free, gone = queues[number], {}, {}, {}
    for i, base in ipairs(bases) do ids[i] = ARGV[base + 2] end
    local owners = try('HMGET', n.owner, unpack(ids)) or {}
    local suspects = redis.call('EXISTS', n.crashes) == 1
    local orphans = redis.call('EXISTS', n.orphans) == 1
    for i, base in ipairs(bases) do
      local who, owner = ARGV[base + 3], owners[i] or ''
      if who == '*' or who == owner or (who ~= '' and string.sub(owner, 1, #who + 1) == who .. '/') then
        settle_one(n, base, counts, bound, now, gone)
        free[#free + 1] = ids[i]
        if suspects and ARGV[base + 1] == 'e' then try('HDEL', n.crashes, ids[i]) end
        if orphans and ARGV[base + 1] == 'e' then try('HDEL', n.orphans, ids[i]) end
      else
        refused[#refused + 1] = (base - first) / ITEM + 1
        local head, tail = string.match(ARGV[base + 10], '^([^\t]*\t[^\t]*\t)[^\t]*(.*)$')
        if head then try('XADD', n.history, 'MAXLEN', '~', bound, '*', 'r', head .. 'late' .. tail) end
      end
    end
    if #free > 0 then try('HDEL', n.owner, unpack(free)) end
    if #gone > 0 then try('ZREM', n.incomplete, unpack(gone)) end
  end
  return refused
end
