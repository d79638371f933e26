-- How much of what a queue keeps lies beyond bounds that somebody is about to set. Writes nothing.
-- Preludes: names.
-- KEYS[1]  saq:Q:queued, for the cluster slot
-- ARGV[1]  Q
-- ARGV[2]  what the names of the schedules' ledgers begin with
-- ARGV[3]  how many entries of the history are counted at most where they must be read for it
-- then for each bound: its field in qd:retention:Q and its new value
-- Returns {history, failed, quarantine, log, ledger, ...} with the count of each behind its name: those that are named.
-- Oldest goes first in each, so that of its bounds the one that drops most counts.

local n, now = names_of(ARGV[1]), clock_ms()
local sets = {failed = n.failed, quarantine = n.garbage, ledger = n.ledger}
local streams = {history = n.history, log = n.logs}
local heavy = {history = n.history, failed = n.failed_jobs, quarantine = n.quarantine}

local function size_of(kind)
  return (sets[kind] and soft('ZCARD', sets[kind]) or not sets[kind] and soft('XLEN', streams[kind])) or 0
end

local function older(kind, age_ms)
  local last = text(now - age_ms)
  if sets[kind] then return soft('ZCOUNT', sets[kind], '-inf', last) or 0 end
  return #(soft('XRANGE', streams[kind], '-', last, 'COUNT', ARGV[3]) or {})
end

-- An estimate: one weighs as much as the other.
local function heavier(kind, bytes)
  local used = tonumber(soft('MEMORY', 'USAGE', heavy[kind], 'SAMPLES', 100) or 0) or 0
  return used > bytes and math.ceil(size_of(kind) * (used - bytes) / used) or 0
end

local function of_schedules(most)
  local over = 0
  for _, name in ipairs(soft('HKEYS', n.schedules) or {}) do
    over = over + math.max(0, (soft('ZCARD', ARGV[2] .. name) or 0) - most)
  end
  return over
end

local beyond, order = {}, {}
for i = 4, #ARGV, 2 do
  local kind, what = string.match(ARGV[i], '^(%a+)_(%a+)')
  local limit, count = tonumber(ARGV[i + 1]), 0
  if what == 'age' then
    count = older(kind, limit)
  elseif what == 'bytes' then
    count = heavier(kind, limit)
  elseif what == 'per' then
    count = of_schedules(limit)
  else
    count = math.max(0, size_of(kind) - limit)
  end
  if not beyond[kind] then order[#order + 1] = kind end
  beyond[kind] = math.max(beyond[kind] or 0, count)
end
local found = {}
for _, kind in ipairs(order) do
  found[#found + 1] = kind
  found[#found + 1] = beyond[kind]
end
return found
