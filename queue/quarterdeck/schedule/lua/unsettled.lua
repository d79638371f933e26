-- Runs that ended without the ledger hearing of it: a stock worker finished them, or their job is gone.
-- Preludes: names.
-- KEYS[1]  qd:schedule-due:Q, for the cluster slot
-- ARGV[1]  Q
-- ARGV[2]  the time in ms for tests, 0 for the server's
-- ARGV[3]  how many to look at, ARGV[4] from which on (rank among the open runs)
-- ARGV[5]  how much of a payload is wanted, bytes
-- Returns {now, open runs, {run, payload's head or '' when there is none, its length, ...}}

local n = keys_of(ARGV[1])
local found = {}
local first = tonumber(ARGV[4])
for _, id in ipairs(redis.call('ZRANGE', n.open, first, first + tonumber(ARGV[3]) - 1)) do
  local record = redis.call('HGET', n.runs, id)
  local key = record and string.match(record, '^[^\t]*\t[^\t]*\t[^\t]*\t[^\t]*\t[^\t]*\t[^\t]*\t([^\t]*)')
  if not key then
    redis.call('ZREM', n.open, id)
  elseif not redis.call('ZSCORE', n.incomplete, n.prefix .. key) then
    found[#found + 1] = id
    found[#found + 1] = redis.call('GETRANGE', n.prefix .. key, 0, tonumber(ARGV[5]) - 1)
    found[#found + 1] = redis.call('STRLEN', n.prefix .. key)
  end
end
return {clock_ms(ARGV[2]), redis.call('ZCARD', n.open), found}
