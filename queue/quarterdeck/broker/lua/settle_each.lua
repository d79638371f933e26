-- Prelude: what becomes of jobs that end in any other way than complete, or bring something about. Needs settle.lua,
-- failed.lua and run.lua.

-- Adds a job that is new to a queue; false when the same key waits or runs, or is being aborted.
local function push(n, key, payload, due)
  local id = n.prefix .. key
  if redis.call('ZSCORE', n.incomplete, id) or redis.call('EXISTS', 'saq:abort:' .. key) == 1 then return false end
  redis.call('SET', id, payload)
  redis.call('ZADD', n.incomplete, due, id)
  if due == '0' or due == 0 then redis.call('RPUSH', n.queued, id) end
  return true
end

local ITEM = 9
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

-- Whether whoever may end a job: not what is stored already (it was sent again, its answer being lost), and not a job
-- that was enqueued anew under the same key. Returns also whether it is the former.
local function may_end(id, payload)
  local stored = redis.call('MGET', id)[1]
  if not stored then return true, false end
  if stored == payload then return false, true end
  local stamp = '"queued":%s?(%d+)'
  local of, is = string.match(payload, stamp), string.match(stored, stamp)
  return not of or not is or of == is, false
end

-- Whether a job may be settled by `who`; and whether it was, by the same call sent before.
local function is_settleable(n, id, who, owner, payload)
  if who == '*' then return may_end(id, payload) end
  if who == '-' then return owner == '' and (try('LREM', n.active, 1, id) or 0) > 0, false end
  return who == owner or (who ~= '' and string.sub(owner, 1, #who) == who), false
end

-- Whether a worker was asked to abort a job that it gives back: the request stays, and whoever takes the job ends it.
local function is_aborting(id, who)
  if who == '' then return false end
  local stored = redis.call('MGET', id)[1]
  return stored and string.find(stored, '"status":%s?"aborting"') ~= nil
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
    if ARGV[base + 6] == 'aborted' then redis.call('DEL', 'saq:abort:' .. string.sub(id, #n.prefix + 1)) end
    return true
  elseif what == 'r' or what == 'b' then
    if ARGV[base + 3] == '' then
      -- Asked for by a client: it may wait already, or have failed.
      try('LREM', n.queued, 0, id)
      local done, why = pcall(take_failed, n, string.sub(id, #n.prefix + 1))
      if not done then trouble(why) end
    end
    if is_aborting(id, ARGV[base + 3]) then
      due = '0'
    else
      redis.call('SET', id, payload)
    end
    put_back(n, id, due, what == 'b')
    if also and also.orphan then try('HSET', n.orphans, id, also.orphan) end
    if also and also.crashed then try('HINCRBY', n.crashes, id, 1) end
    return false
  elseif what == 'q' then
    local as = #id <= 1000 and id or string.sub(id, 1, 900) .. '…' .. redis.sha1hex(id)
    try('HSET', n.quarantine, as, also.record)
    try('ZADD', n.garbage, text(now), as)
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

-- Settles the jobs whose nine arguments each begin at `first`; `number` settlements came before them.
settle_each = function(queues, first, number, bound, counts, refused, now)
  local of_queue = {}
  for base = first, #ARGV, ITEM do
    local bases = of_queue[ARGV[base]]
    if not bases then
      bases = {}
      of_queue[ARGV[base]] = bases
    end
    bases[#bases + 1] = base
  end
  for of, bases in pairs(of_queue) do
    local n, ids, free, free_bases, gone, statuses, entries = queues[tonumber(of)], {}, {}, {}, {}, {}, {}
    for i, base in ipairs(bases) do ids[i] = ARGV[base + 2] end
    local owners = try('HMGET', n.owner, unpack(ids)) or {}
    for i, base in ipairs(bases) do
      local settleable, known = is_settleable(n, ids[i], ARGV[base + 3], owners[i] or '', ARGV[base + 4])
      if settleable then
        free[#free + 1] = ids[i]
        free_bases[#free_bases + 1] = base
      else
        refused[#refused + 1] = number + (base - first) / ITEM + 1
        refuse(n, ARGV[base + 7], ARGV[base + 6], bound, counts, known)
      end
    end
    if #free > 0 then
      leave_active(n, free)
      for i, base in ipairs(free_bases) do
        if settle_one(n, base, counts, now) then gone[#gone + 1] = free[i] end
        if ARGV[base + 7] ~= '' then entries[#entries + 1] = ARGV[base + 7] end
        statuses[i] = ARGV[base + 6]
      end
      write_history(n, entries, bound)
      let_go(n, free, gone)
      publish_all(free, statuses)
    end
  end
end
