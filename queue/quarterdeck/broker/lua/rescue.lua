#!lua flags=allow-oom
-- Brings the jobs of dead workers back to the head of the queue, hundreds in one call.
-- Preludes: names, payload.
-- KEYS[1]  saq:Q:queued, for the cluster slot
-- ARGV[1]  Q
-- ARGV[2]  the rescuer's worker id
-- ARGV[3]  how many workers may die under a job before it is poison
-- ARGV[4]  how long a job may be active with nobody, ms
-- ARGV[5]  how many entries the history holds unless qd:retention:Q says otherwise
-- ARGV[6]  how many jobs at most
-- then names of functions whose jobs are not to run again after a crash (on_lost="fail")
-- Returns {server's clock, IDs that went back, special [ID, crashes, payload, lost worker, ...], nobody's [ID, payload,
--   since when, ...], lost workers [worker, record, number of keys, KEY, ...], own [ID, token, ...]}.
--   Special jobs (poison, being aborted, not to run again, payloads that can't be edited in place) belong to the
--   rescuer from now on as `W/0`; it settles them. Nobody's are left as they are. Own are jobs that the rescuer
--   itself has held for that long: it knows best whether it runs them.

local n = names_of(ARGV[1])
local rescuer, budget, patience, most = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[6])
local bound = soft('HGET', n.retention, 'history_count') or ARGV[5]
local now = clock_ms()
local no_rerun = {}
for i = 7, #ARGV do no_rerun[ARGV[i]] = true end

local dead, lost, own, holder = {}, {}, {}, {}
local function is_dead(worker)
  if dead[worker] == nil then
    local ends = redis.call('ZSCORE', n.lease, worker)
    dead[worker] = not ends or tonumber(ends) <= now
  end
  return dead[worker]
end

for _, worker in ipairs(redis.call('ZRANGEBYSCORE', n.lease, '-inf', text(now))) do
  dead[worker] = true
  lost[worker] = {}
end

local owners = redis.pcall('HGETALL', n.owner)
if owners.err then return {now, {}, {}, {}, {}, {}} end
local held = {}
for i = 1, #owners, 2 do
  local id = owners[i]
  local worker, token, started = string.match(owners[i + 1], '^(.*)/(%d+)/(%d+)$')
  if not worker then
    worker, token, started = '?', '0', '0'
  end
  holder[id] = true
  if worker == rescuer then
    if now - tonumber(started) >= patience then
      own[#own + 1] = id
      own[#own + 1] = token
    end
  elseif is_dead(worker) then
    lost[worker] = lost[worker] or {}
    held[id] = {worker, token, started}
  end
end

local back, special, nobodys = {}, {}, {}
local handled = 0

local function adopt(id, crashes, payload, worker)
  redis.call('HSET', n.owner, id, rescuer .. '/0/' .. text(now))
  special[#special + 1] = id
  special[#special + 1] = crashes
  special[#special + 1] = payload
  special[#special + 1] = worker
end

local function number_in(payload, field) return string.match(payload, '"' .. field .. '":%s?(%d+)') or '0' end

local function rescue(id, in_active)
  local worker, token, started = unpack(held[id])
  held[id] = nil
  handled = handled + 1
  local keys = lost[worker]
  local key = string.sub(id, #n.prefix + 1)
  keys[#keys + 1] = key
  local payload = redis.call('MGET', id)[1]
  if not payload then
    soft('LREM', n.active, 0, id)
    soft('ZREM', n.incomplete, id)
    redis.call('HDEL', n.owner, id)
    return
  end
  local ran = token ~= '0' and started ~= '0'
  local crashes
  if ran then
    crashes = soft('HINCRBY', n.crashes, id, 1) or 0
  else
    crashes = tonumber(soft('HGET', n.crashes, id) or 0)
  end
  local name = string.match(payload, '^{"function":%s?"([^"\\]*)"') or ''
  local waiting = started == '0' and payload or unmark(payload)
  if crashes >= budget or not waiting or not in_active or (ran and no_rerun[name])
    or (ran and string.find(payload, '"on_lost":%s?"fail"')) then
    adopt(id, crashes, payload, worker)
    return
  end
  redis.call('SET', id, waiting)
  soft('LREM', n.active, 1, id)
  redis.call('LPUSH', n.queued, id)
  soft('ZADD', n.incomplete, 0, id)
  redis.call('HDEL', n.owner, id)
  back[#back + 1] = id
  if ran then
    local attempt = string.match(payload, '"attempts":(%d+),"started":%d+,"touched":%d+,"worker_id":"[^"\\]*"}$') or '0'
    redis.pcall('XADD', n.history, 'MAXLEN', '~', bound, '*', 'r', table.concat({
      key, name, 'lost', attempt, number_in(payload, 'queued'), started, text(now),
      text(math.max(0, now - tonumber(started)) * 1000), worker, ''}, '\t'))
  end
end

local active = redis.pcall('LRANGE', n.active, 0, -1)
if active.err then active = {} end
local seen = {}
for i = #active, 1, -1 do
  local id = active[i]
  seen[id] = true
  if held[id] and handled < most then
    rescue(id, true)
  elseif not holder[id] and #nobodys < 2 * most then
    soft('HSETNX', n.ownerless, id, text(now))
    local since = tonumber(soft('HGET', n.ownerless, id) or now)
    if now - since >= patience then
      nobodys[#nobodys + 1] = id
      nobodys[#nobodys + 1] = redis.call('MGET', id)[1] or ''
      nobodys[#nobodys + 1] = since
    end
  end
end
for id in pairs(held) do
  if handled < most and not seen[id] then rescue(id, false) end
end

for _, id in ipairs(soft('HKEYS', n.ownerless) or {}) do
  if not seen[id] or holder[id] then redis.call('HDEL', n.ownerless, id) end
end

local gone = {}
for worker, keys in pairs(lost) do
  redis.call('ZREM', n.lease, worker)
  gone[#gone + 1] = worker
  gone[#gone + 1] = soft('HGET', n.workers, worker) or ''
  gone[#gone + 1] = #keys
  for _, key in ipairs(keys) do gone[#gone + 1] = key end
end
return {now, back, special, nobodys, gone, own}
