-- Shared by the snapshot script, before everything else: commands whose errors name the key that they met. All reads of
-- the script go through here, those of other rooms too: this `redis` stands before the server's own.

local server = redis

-- What an error says: the key and the type of what lies there, or the server's own words.
local function named(key, words)
  if string.sub(words, 1, 9) ~= 'WRONGTYPE' then return tostring(key) .. ': ' .. words end
  local found = server.pcall('TYPE', key)
  return tostring(key) .. ' is of a wrong type' .. (type(found) == 'table' and found.ok and ' (' .. found.ok .. ')' or '')
end

-- The server's clock: it stands still while a script runs.
local NOW = server.call('TIME')

local function call(...)
  if (...) == 'TIME' then return NOW end
  local reply = server.pcall(...)
  if type(reply) == 'table' and reply.err then error({err = named((select(2, ...)), reply.err)}) end
  return reply
end

-- What went wrong in the operation at work, beside what it returns.
local troubles = {}

-- As call, but what can't be read is false, and the rest of the operation goes on.
local function try(...)
  local reply = server.pcall(...)
  if type(reply) ~= 'table' or not reply.err then return reply end
  if #troubles < 5 then troubles[#troubles + 1] = named((select(2, ...)), reply.err) end
  return false
end

local redis = {call = call, pcall = server.pcall, sha1hex = server.sha1hex}
