#!lua flags=allow-oom
-- Puts what can't be read and was set aside into the recycle bin: its record in the quarantine, as it stands.
-- KEYS[1]  saq:Q:queued, for the cluster slot
-- ARGV[1]  Q
-- ARGV[2]  who
-- ARGV[3]  the act's id
-- ARGV[4]  how many jobs the bin holds at most
-- ARGV[5]  how long it holds them, ms
-- then for each two arguments: its field in qd:quarantine:Q, and the row that the bin shows of it
-- Returns for each: 'ok', 'held' (a rule holds it: that is lifted whole), 'gone'.

local queue = ARGV[1]
local names, now = names_of(queue), clock_ms()
local bin = binner(queue, ARGV[2], ARGV[3], tonumber(ARGV[5]), now)
local answers = {}
for i = 6, #ARGV, 2 do
  local field, answer = ARGV[i], 'gone'
  local record = redis.call('HGET', names.quarantine, field)
  if record and redis.call('ZSCORE', names.held, field) then
    answer = 'held'
  elseif record then
    bin(field, 'aside', 0, ARGV[i + 1], record)
    redis.call('HDEL', names.quarantine, field)
    redis.call('ZREM', names.garbage, field)
    answer = 'ok'
  end
  answers[#answers + 1] = answer
end
thin_bin(queue, tonumber(ARGV[4]), tonumber(ARGV[5]), now)
return answers
