-- Pauses or resumes schedules.
-- Preludes: names.
-- KEYS[1]  qd:schedule-due:Q, for the cluster slot
-- ARGV[1]  Q
-- ARGV[2]  the time in ms for tests, 0 for the server's
-- ARGV[3]  for how long, ms; 0 until resumed; -1 resumes
-- ARGV[4]  owner, ARGV[5] reason
-- ARGV[6]  the owner as JSON, ARGV[7] the reason as JSON
-- then the names
-- Returns {now, done {name, ...}}: without those that do not exist, and, when resuming, that were not paused.

local n = keys_of(ARGV[1])
local now = clock_ms(ARGV[2])
local length = tonumber(ARGV[3])
local done = {}
for i = 8, #ARGV do
  local name = ARGV[i]
  local paused, ends, pauser = field_of(name, 'paused'), field_of(name, 'until'), field_of(name, 'pauser')
  if length < 0 then
    if redis.call('HDEL', n.states, paused, ends, pauser) > 0 then done[#done + 1] = name end
  elseif redis.call('HEXISTS', n.schedules, name) == 1 then
    local till = length > 0 and text(now + length) or '0'
    local record = '{"owner":' .. ARGV[6] .. ',"reason":' .. ARGV[7] .. ',"at_ms":' .. text(now)
      .. ',"until_ms":' .. (length > 0 and till or 'null') .. '}'
    local who = ARGV[4] .. (ARGV[5] ~= '' and ': ' .. ARGV[5] or '')
    redis.call('HSET', n.states, paused, record, ends, till, pauser, who)
    done[#done + 1] = name
  end
end
return {now, done}
