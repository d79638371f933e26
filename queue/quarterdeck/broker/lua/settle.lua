-- Prelude: what becomes of jobs that somebody holds. Needs names.lua, failed.lua and run.lua.
--
-- Their arguments begin with counts: how many, then for each number of a queue (from 1), field, by how much (what the
-- running minute is to count when none is refused). Then nine arguments a settlement:
--    1  number of its queue among the queues of the call
--    2  what to do:  e ended   r retry   b back to the front   q quarantine   h hold by a rule   d drop
--    3  the job's ID
--    4  who must hold it: W/TOKEN/; empty: nobody may; *: whoever
--    5  the payload to store; for d and q empty
--    6  e: SAQ's ttl in s (0 for ever, -1 not at all); r, b: epoch s when it is due, 0 now
--    7  status to publish: complete, failed, aborted, queued; empty: none
--    8  the history entry; empty: none
--    9  what else, as msgpack, or empty: {failed = {at, signature, signature row, row, function}, record = quarantine
--       record, steps = {{'enqueue', queue, KEY, payload, due}, {'join', hash, index, result, size, placeholder,
--       {queue, KEY, payload, due}, ...}, {'settle', run, field, value, ...}}, orphan = first seen (ms)/times/function}

local ITEM = 9
local errors = {}

local function try(...)
  local answer = redis.pcall(...)
  if type(answer) == 'table' and answer.err then
    errors[#errors + 1] = answer.err
    return nil
  end
  return answer
end

-- Whether somebody listens to a pattern, as stock clients and recorders do; asked once a script.
local patterns
local function somebody_listens()
  if patterns == nil then patterns = redis.call('PUBSUB', 'NUMPAT') > 0 end
  return patterns
end

-- Whether a queue is paused, or knows crashes or orphans; asked once a script.
local function is_unusual(n)
  local unusual = rawget(n, 'is_unusual')
  if unusual == nil then
    unusual = redis.call('EXISTS', n.paused, n.crashes, n.orphans) > 0
    rawset(n, 'is_unusual', unusual)
  end
  return unusual
end

-- Tells those who wait for a job; our own clients listen to the job's channel.
local function publish_all(ids, bases)
  local few = #ids <= 2 or somebody_listens()
  local listeners = few or redis.call('PUBSUB', 'NUMSUB', unpack(ids))
  for i, id in ipairs(ids) do
    if few or listeners[2 * i] > 0 then
      local status = ARGV[bases[i] + 6]
      if status ~= '' then redis.call('PUBLISH', id, status) end
    end
  end
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
    local fresh = false
    for field, by in pairs(fields) do fresh = try('HINCRBY', key, field, by) == by or fresh end
    if fresh then try('EXPIRE', key, 93600) end
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

local function trouble(why) errors[#errors + 1] = tostring(type(why) == 'table' and why.err or why) end

local function more_of(n, key, payload, more, counts)
  local ok, also = pcall(cmsgpack.unpack, more)
  if not ok then
    errors[#errors + 1] = 'settlement of ' .. key .. ': ' .. tostring(also)
    return {}
  end
  if also.failed then
    local f = also.failed
    local done, why = pcall(put_failed, n, key, f[1], f[2], f[3], f[5], f[4], payload)
    if not done then trouble(why) end
  end
  for _, step in ipairs(also.steps or {}) do
    local done, why = pcall(steps[step[1]], n, step)
    if not done then
      trouble(why)
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
  if due == '0' then
    try('ZADD', n.incomplete, 0, id)
    try(front and 'LPUSH' or 'RPUSH', n.queued, id)
  else
    try('ZADD', n.incomplete, due, id)
  end
end

-- Settles one held job that is out of the active list; returns whether it leaves the incomplete.
local function settle_one(n, base, counts, now)
  local what, id, payload, due = ARGV[base + 1], ARGV[base + 2], ARGV[base + 4], ARGV[base + 5]
  local more = ARGV[base + 8]
  local also = more ~= '' and more_of(n, string.sub(id, #n.prefix + 1), payload, more, counts)
  if what == 'e' then
    if due == '0' then
      redis.call('SET', id, payload)
    elseif string.sub(due, 1, 1) == '-' then
      redis.call('UNLINK', id)
    else
      redis.call('SET', id, payload, 'EX', due)
    end
    return true
  elseif what == 'r' or what == 'b' then
    redis.call('SET', id, payload)
    put_back(n, id, due, what == 'b')
    if also and also.orphan then try('HSET', n.orphans, id, also.orphan) end
    return false
  elseif what == 'q' then
    try('HSET', n.quarantine, id, also.record)
    if string.sub(id, 1, #n.prefix) == n.prefix then try('UNLINK', id) end
    return true
  elseif what == 'h' then
    redis.call('SET', id, payload)
    try('HSET', n.quarantine, id, also.record)
    try('ZADD', n.held, now, id)
    return true
  end
  return false
end

-- Takes ids out of the active list. Those that end together were mostly taken together and stand at its head.
local function leave_active(n, ids)
  if #ids > 2 then
    local wanted, all = {}, true
    for _, id in ipairs(ids) do wanted[id] = true end
    local head = redis.pcall('LRANGE', n.active, 0, #ids - 1)
    if head.err then
      trouble(head)
      return
    end
    for i = 1, #ids do
      if not head[i] or not wanted[head[i]] then
        all = false
        break
      end
      wanted[head[i]] = nil
    end
    if all then
      redis.call('LTRIM', n.active, #ids, -1)
      return
    end
  end
  for _, id in ipairs(ids) do try('LREM', n.active, 1, id) end
end

-- A refused settlement: recorded as late, and not counted.
local function refuse(n, base, bound, counts)
  local key, name, status, middle, us, tail =
    string.match(ARGV[base + 7], '^([^\t]*)\t([^\t]*)\t([^\t]*)\t(.*)\t(%d+)(\t[^\t]*\t[^\t]*)$')
  if not key then return end
  try('XADD', n.history, 'MAXLEN', '~', bound, '*', 'r', table.concat({key, name, 'late', middle, us}, '\t') .. tail)
  if ARGV[base + 6] == '' then return end
  local of = count_of(counts, n)
  local bucket = us == '0' and 0 or math.min(290, math.floor(math.log(us) / math.log(1.1)))
  for field, by in pairs({[status] = 1, us = tonumber(us), ['b' .. bucket] = 1}) do
    of[name .. '\t' .. field] = (of[name .. '\t' .. field] or 0) - by
  end
end

-- Settles the jobs whose arguments begin at `first`; `queues` are the calls' queues (names_of), `bound` the history's.
-- Returns the numbers (from 1) of those refused, because somebody else holds the job now.
local function settle_all(queues, first, bound, now)
  local sub = string.sub
  local counts, of_queue, refused = {}, {}, {}
  local items = first + 1 + 3 * tonumber(ARGV[first])
  if items > #ARGV then return refused end
  for at = first + 1, items - 1, 3 do count_of(counts, queues[tonumber(ARGV[at])])[ARGV[at + 1]] = tonumber(ARGV[at + 2]) end
  for base = items, #ARGV, ITEM do
    local number = tonumber(ARGV[base])
    local bases = of_queue[number]
    if not bases then
      bases = {}
      of_queue[number] = bases
    end
    bases[#bases + 1] = base
  end
  for number, bases in pairs(of_queue) do
    local n, ids, free, free_bases, gone = queues[number], {}, {}, {}, {}
    for i, base in ipairs(bases) do ids[i] = ARGV[base + 2] end
    local owners = try('HMGET', n.owner, unpack(ids)) or {}
    for i, base in ipairs(bases) do
      local who, owner = ARGV[base + 3], owners[i] or ''
      if who == '*' or who == owner or (who ~= '' and sub(owner, 1, #who) == who) then
        free[#free + 1] = ids[i]
        free_bases[#free_bases + 1] = base
      else
        refused[#refused + 1] = (base - items) / ITEM + 1
        refuse(n, base, bound, counts)
      end
    end
    if #free > 0 then
      leave_active(n, free)
      for i, base in ipairs(free_bases) do
        if settle_one(n, base, counts, now) then gone[#gone + 1] = free[i] end
        local entry = ARGV[base + 7]
        if entry ~= '' then try('XADD', n.history, 'MAXLEN', '~', bound, '*', 'r', entry) end
      end
      try('HDEL', n.owner, unpack(free))
      if #gone > 0 then
        try('ZREM', n.incomplete, unpack(gone))
        if is_unusual(n) then
          try('HDEL', n.crashes, unpack(gone))
          try('HDEL', n.orphans, unpack(gone))
        end
      end
      publish_all(free, free_bases)
    end
  end
  write_counts(counts, now)
  return refused
end
