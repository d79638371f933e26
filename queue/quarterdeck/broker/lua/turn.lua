#!lua flags=allow-oom
-- One turn of a worker: settles the jobs that ended since the last one, then takes as many as it has slots for.
-- Preludes: names, payload, failed, settle.
-- KEYS[i]  saq:Q:queued of each queue
-- ARGV[1]  worker id
-- ARGV[2]  worker id as JSON
-- ARGV[3]  this turn's token; grows with each turn of a worker
-- ARGV[4]  how many jobs are wanted, 0 for none
-- ARGV[5]  how many entries the history holds: the most that one of the queues does, folding trims the others
-- ARGV[6]  the worker's home queue: its lease and fence are there
-- ARGV[7]  the numbers (from 1) of the queues to take from, in their order: 2,1
-- ARGV[8]  number of queues, then their names in the order of KEYS
-- then counts and settlements (settle.lua)
-- Returns {word, server's clock in ms, refused settlements, errors, of each queue taken from {word, marked, unmarked,
--   alone}};
--   the first word is 'ok', 'fenced' (the turn is void, nothing was done) or 'unleased' (settled, but nothing taken);
--   a queue's word is 'ok' (all taken there was), 'more' (there may be more), 'paused', 'skipped' or the error's text;
--   the lists are ID, payload, ID, payload, ...: marked are active now, unmarked must be marked before they start
--   (mark.lua), alone must also run alone.

local worker, worker_json, token = ARGV[1], ARGV[2], ARGV[3]
local want = tonumber(ARGV[4])
local home = names_of(ARGV[6])
local now = clock_ms()

local void = is_unusual(home) and soft('HGET', home.fence, worker)
if void and tonumber(void) >= tonumber(token) then return {'fenced', now, {}, {}, {}} end

local queues = {}
local first = 9 + tonumber(ARGV[8])
for i = 9, first - 1 do queues[#queues + 1] = names_of(ARGV[i]) end

local refused = settle_all(queues, first, ARGV[5], now)
local began = text(now)
local mark_active = marker(began, worker_json)

local function take(n)
  local unusual = is_unusual(n)
  if unusual and redis.call('EXISTS', n.paused) == 1 then return {'paused', {}, {}, {}} end
  local ids = redis.pcall('LRANGE', n.queued, 0, want - 1)
  if ids.err then return {ids.err, {}, {}, {}} end
  local popped = #ids
  if popped == 0 then return {'ok', {}, {}, {}} end
  local owners = redis.pcall('HMGET', n.owner, unpack(ids))
  if owners.err then return {owners.err, {}, {}, {}} end
  local crashes = unusual and soft('HMGET', n.crashes, unpack(ids))
  local payloads = redis.call('MGET', unpack(ids))
  local held, taken, edits, seen = {}, {}, {}, {}
  local marked, unmarked, alone = {}, {}, {}
  local mine = worker .. '/' .. token .. '/'
  local running = mine .. began
  for i, id in ipairs(ids) do
    -- A second push of a job that runs already is dropped.
    if not owners[i] and not seen[id] then
      seen[id] = true
      taken[#taken + 1] = id
      local payload = payloads[i]
      local suspect = crashes and tonumber(crashes[i] or 0) >= 2
      local active = payload and not suspect and mark_active(payload)
      held[#held + 1] = id
      if active then
        held[#held + 1] = running
        edits[#edits + 1] = id
        edits[#edits + 1] = active
        marked[#marked + 1] = id
        marked[#marked + 1] = active
        if somebody_listens() then redis.call('PUBLISH', id, 'active') end
      else
        held[#held + 1] = mine .. '0'
        local list = suspect and alone or unmarked
        list[#list + 1] = id
        list[#list + 1] = payload or ''
        if suspect then
          popped = i
          break
        end
      end
    end
  end
  if #taken > 0 then
    -- What can fail on a key of a wrong type comes first; the ids leave the queue last.
    local owned = redis.pcall('HSET', n.owner, unpack(held))
    if type(owned) == 'table' and owned.err then return {owned.err, {}, {}, {}} end
    local pushed = redis.pcall('RPUSH', n.active, unpack(taken))
    if type(pushed) == 'table' and pushed.err then
      redis.call('HDEL', n.owner, unpack(taken))
      return {pushed.err, {}, {}, {}}
    end
    if #edits > 0 then redis.call('MSET', unpack(edits)) end
  end
  redis.call('LPOP', n.queued, popped)
  want = want - #taken
  if #alone > 0 then want = 0 end
  return {popped == #ids and want > 0 and 'ok' or 'more', marked, unmarked, alone}
end

local word = 'ok'
local takes = {}
if want > 0 then
  local ends = redis.call('ZSCORE', home.lease, worker)
  if not ends or tonumber(ends) <= now then
    word = 'unleased'
  else
    for number in string.gmatch(ARGV[7], '%d+') do
      takes[#takes + 1] = want > 0 and take(queues[tonumber(number)]) or {'skipped', {}, {}, {}}
    end
  end
end
return {word, now, refused, errors, takes}
