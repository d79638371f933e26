-- Prelude: telling a worker something at once; it waits on its control list. Needs names.lua.

local function tell(n, worker, command, value)
  local key = n.control .. worker
  redis.pcall('RPUSH', key, cjson.encode({command = command, value = value}))
  redis.call('EXPIRE', key, 120)
end

-- Tells whoever holds a job (ID) that it is to be aborted.
local function tell_abort(n, id)
  local owner = soft('HGET', n.owner, id)
  local worker = owner and string.match(owner, '^(.*)/%d+/%d+$')
  if worker then tell(n, worker, 'abort', string.sub(id, #n.prefix + 1)) end
end
