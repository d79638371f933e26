-- Prelude: exact edits at the end of a payload. JSON is never decoded and encoded again here (cjson breaks [] and
-- large numbers): a payload whose end is not one of these is left to the client.
-- `"status":"queued"}` at the very end can only be the top level's: inside a string the quotes would be escaped.

local QUEUED = '"status":"queued"}'
local QUEUED_STOCK = '"status": "queued"}'

-- A maker of running payloads: `worker_json` (the worker's id as JSON) runs them from `now` (as text) on. What it makes of a
-- waiting payload is nil when the edit would not be exact.
local function marker(now, worker_json)
  local find, sub = string.find, string.sub
  local from = ',"started":' .. now .. ',"touched":' .. now .. ',"worker_id":' .. worker_json .. '}'
  local first = '"status":"active","attempts":1' .. from
  return function(p)
    -- Without their first quote: a search that stops at each quote of the payload takes twice as long.
    if find(p, 'started":', 1, true) or find(p, 'touched":', 1, true) or find(p, 'worker_id":', 1, true) then
      return nil
    end
    local at = find(p, 'attempts":', 1, true)
    at = at and at - 1
    if sub(p, -18) == QUEUED then
      if not at then return sub(p, 1, -19) .. first end
      local n = string.match(p, '^"attempts":(%d+),"status":"queued"}$', at)
      if n then return sub(p, 1, at - 1) .. '"status":"active","attempts":' .. (tonumber(n) + 1) .. from end
    elseif not at and sub(p, -19) == QUEUED_STOCK then
      return sub(p, 1, -20) .. first
    end
    return nil
  end
end

-- A running payload as it was while it waited, its attempt not counted; nil when the edit would not be exact.
local function unmark(p)
  local from = math.max(1, #p - 400)
  local at, attempts = string.match(string.sub(p, from),
    '()"status":"active","attempts":(%d+),"started":%d+,"touched":%d+,"worker_id":"[^"\\]*"}$')
  if not at then return nil end
  local head = string.sub(p, 1, from + at - 2)
  if attempts == '1' then return head .. QUEUED end
  return head .. '"attempts":' .. (tonumber(attempts) - 1) .. ',' .. QUEUED
end
