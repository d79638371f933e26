-- One atomic read of all that a view names. Writes nothing; a read that fails (a key of the wrong type) fails alone.
-- KEYS[1]  any key of the queue, for the cluster slot (may be absent outside a cluster)
-- ARGV     for each read: the name of an operation (see reads.lua and windows.lua), how many arguments, the arguments
-- Returns {seconds, microseconds of the server's clock, what could not be read {number of the read from 1, why, …}, then
-- one reply for each read}

local answers, failures = {NOW[1], NOW[2], {}}, {}
local at, read = 1, 0
while at <= #ARGV do
  local name, last = ARGV[at], at + 1 + tonumber(ARGV[at + 1])
  local ok, reply
  read = read + 1
  if name == 'call' then -- the most of them: any one command, without a table for its words
    reply = try(unpack(ARGV, at + 2, last))
  else
    ok, reply = pcall(OPS[name], {unpack(ARGV, at + 2, last)})
    if not ok then
      troubles[#troubles + 1] = type(reply) == 'table' and reply.err or tostring(reply)
      reply = false
    end
  end
  if #troubles > 0 then
    failures[#failures + 1], failures[#failures + 2] = read, table.concat(troubles, '; ')
    troubles = {}
  end
  answers[read + 3] = reply or false
  at = last + 1
end
answers[3] = failures
return answers
