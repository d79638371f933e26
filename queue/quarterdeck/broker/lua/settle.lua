-- Prelude: what becomes of jobs that somebody holds. Needs names.lua; the others, settle_each.lua.
--
-- Their arguments begin with counts: how many, then for each number of a queue (from 1), field, by how much (what the
-- running minute is to count when none is refused). Then come those that completed and bring nothing else about, which
-- is nearly all: how many groups of them, then for each group number of the queue, SAQ's ttl in s, how many, and four
-- arguments each: ID, who must hold it (W/TOKEN/), payload, history entry. Then nine arguments for each of the others:
--    1  number of its queue among the queues of the call
--    2  what to do:  e ended   r retry   b back to the front   q quarantine   h hold by a rule   d drop
--    3  the job's ID
--    4  who must hold it: W/TOKEN/; empty: nobody may; -: nobody may, and it must be in the active list; *: whoever
--    5  the payload to store; for d and q empty
--    6  e: SAQ's ttl in s (0 for ever, -1 not at all); r, b: epoch s when it is due, 0 now
--    7  status to publish: complete, failed, aborted, queued; empty: none
--    8  the history entry; empty: none
--    9  what else, as msgpack, or empty: {failed = {at, signature, signature row, row, function}, record = quarantine
--       record, steps = {{'enqueue', queue, KEY, payload, due}, {'join', hash, index, result, size, placeholder,
--       {queue, KEY, payload, due}, ...}, {'settle', run, field, value, ...}}, orphan = first seen (ms)/times/function,
--       crashed = 1 when it lost its worker}

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

-- Whether a queue is paused, or knows crashes, orphans or void turns; asked once a script.
local function is_unusual(n)
  local unusual = rawget(n, 'is_unusual')
  if unusual == nil then
    unusual = redis.call('EXISTS', n.paused, n.crashes, n.orphans, n.fence) > 0
    rawset(n, 'is_unusual', unusual)
  end
  return unusual
end

-- Tells those who wait for a job; our own clients listen to the job's channel.
local function publish_all(ids, statuses)
  local few = #ids <= 2 or somebody_listens()
  local listeners = few or redis.call('PUBSUB', 'NUMSUB', unpack(ids))
  for i, id in ipairs(ids) do
    if (few or listeners[2 * i] > 0) and statuses[i] ~= '' then redis.call('PUBLISH', id, statuses[i]) end
  end
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

local function trouble(why) errors[#errors + 1] = tostring(type(why) == 'table' and why.err or why) end

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

-- Writes history entries; the stream is cut to about its bound with the last.
local function write_history(n, entries, bound)
  for i = 1, #entries - 1 do try('XADD', n.history, '*', 'r', entries[i]) end
  if #entries > 0 then try('XADD', n.history, 'MAXLEN', '~', bound, '*', 'r', entries[#entries]) end
end

-- A refused settlement: not counted, and recorded as late unless it is `known`.
local function refuse(n, entry, status, bound, counts, known)
  local key, name, of_entry, middle, us, tail =
    string.match(entry, '^([^\t]*)\t([^\t]*)\t([^\t]*)\t(.*)\t(%d+)(\t[^\t]*\t[^\t]*)$')
  if not key then return end
  if not known then write_history(n, {table.concat({key, name, 'late', middle, us}, '\t') .. tail}, bound) end
  if status == '' then return end
  local of = count_of(counts, n)
  local bucket = us == '0' and 0 or math.min(290, math.floor(math.log(us) / math.log(1.1)))
  for field, by in pairs({[of_entry] = 1, us = tonumber(us), ['b' .. bucket] = 1}) do
    of[name .. '\t' .. field] = (of[name .. '\t' .. field] or 0) - by
  end
end

-- Forgets that jobs were held; those in `gone` have ended.
local function let_go(n, ids, gone)
  try('HDEL', n.owner, unpack(ids))
  if #gone == 0 then return end
  try('ZREM', n.incomplete, unpack(gone))
  if is_unusual(n) then
    try('HDEL', n.crashes, unpack(gone))
    try('HDEL', n.orphans, unpack(gone))
  end
end

-- Settles `size` completed jobs whose arguments begin at `at`; `number` is how many settlements came before them.
local function settle_completed(n, ttl, at, size, bound, counts, refused, number)
  local sub = string.sub
  local asked, free, payloads, entries, statuses = {}, {}, {}, {}, {}
  for i = 1, size do asked[i] = ARGV[at + 4 * i - 4] end
  local owners = try('HMGET', n.owner, unpack(asked)) or {}
  for i, id in ipairs(asked) do
    local base = at + 4 * i - 4
    local who = ARGV[base + 1]
    if sub(owners[i] or '', 1, #who) == who then
      local k = #free + 1
      free[k], payloads[k], entries[k], statuses[k] = id, ARGV[base + 2], ARGV[base + 3], 'complete'
    else
      refused[#refused + 1] = number + i
      refuse(n, ARGV[base + 3], 'complete', bound, counts)
    end
  end
  if #free == 0 then return end
  leave_active(n, free)
  if ttl == '0' then
    for i, id in ipairs(free) do redis.call('SET', id, payloads[i]) end
  elseif sub(ttl, 1, 1) == '-' then
    redis.call('UNLINK', unpack(free))
  else
    for i, id in ipairs(free) do redis.call('SET', id, payloads[i], 'EX', ttl) end
  end
  write_history(n, entries, bound)
  let_go(n, free, free)
  publish_all(free, statuses)
end

local settle_each -- in settle_each.lua, for calls that need it
