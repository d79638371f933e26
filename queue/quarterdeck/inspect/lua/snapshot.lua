-- One atomic read of all that a view names. Writes nothing; a read that fails (a key of the wrong type) fails alone.
-- KEYS[1]  any key of the queue, for the cluster slot (may be absent outside a cluster)
-- ARGV[1]  msgpack, a flat list: for each read the name of an operation (see reads.lua and the chapters), how many
--          arguments, the arguments. One list in one word: a word each would cost the server twice as much to take in.
-- Returns {seconds, microseconds of the server's clock, what could not be read {number of the read from 1, why, …}, then
-- one reply for each read}

-- The operation of a name, its chapter begun if need be: what is not used is not made, for all of it is thrown away again.
local function operation(name)
  local found = OPS[name]
  if found then return found end
  if name == 'groups' then groups_chapter()
  elseif name == 'window' then windows_chapter()
  elseif name == 'added' then streams_chapter()
  elseif string.sub(name, 1, 8) == 'schedule' then schedules_chapter()
  else jobs_chapter() end
  return OPS[name]
end

-- A window of the schedules of a queue, most of which have none. a = due, Q, first, count, runs of each, '1' with those that
-- are set aside. Returns {reply of 'schedules', reply of 'schedules-broken'}.
OPS['timetable'] = function(a)
  if call('EXISTS', a[1]) == 0 then return {{0}, {}} end
  local window = operation('schedules')({a[2], a[3], a[4], a[5]})
  return {window, a[6] == '1' and operation('schedules-broken')({a[2], a[4], a[5]}) or {}}
end

local words = cmsgpack.unpack(ARGV[1])
local answers, failures = {NOW[1], NOW[2], {}}, {}
local at, read = 1, 0
while at <= #words do
  local name, last = words[at], at + 1 + words[at + 1]
  local ok, reply
  read = read + 1
  if name == 'call' then -- the most of them: any one command, without a table for its words
    reply = try(unpack(words, at + 2, last))
  else
    ok, reply = pcall(operation(name), {unpack(words, at + 2, last)})
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
