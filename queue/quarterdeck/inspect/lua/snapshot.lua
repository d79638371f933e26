-- One atomic read of all that a view names. Writes nothing; a read that fails (a key of the wrong type) fails alone.
-- KEYS[1]  any key of the queue, for the cluster slot (may be absent outside a cluster)
-- ARGV     for each read: the name of an operation (see reads.lua and windows.lua), how many arguments, the arguments
-- Returns {seconds, microseconds of the server's clock, then for each read {1, reply}, {1, reply, what of it could not be
-- read} or {0, error}}

local time = redis.call('TIME')
local answers = {time[1], time[2]}
local at = 1
while at <= #ARGV do
  local n = tonumber(ARGV[at + 1])
  local args = {}
  for i = 1, n do args[i] = ARGV[at + 1 + i] end
  troubles = {}
  local ok, reply = pcall(OPS[ARGV[at]], args)
  if ok and #troubles > 0 then
    answers[#answers + 1] = {1, reply or false, table.concat(troubles, '; ')}
  elseif ok then
    answers[#answers + 1] = {1, reply}
  else
    answers[#answers + 1] = {0, type(reply) == 'table' and reply.err or tostring(reply)}
  end
  at = at + 2 + n
end
return answers
