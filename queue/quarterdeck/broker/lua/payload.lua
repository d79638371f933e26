-- Prelude: exact edits at the end of a payload. JSON is never decoded and encoded again here (cjson breaks [] and
-- large numbers): a payload whose end is not one of these is left to the client.
-- `"status":"queued"}` at the very end can only be the top level's: inside a string the quotes would be escaped.

local QUEUED = '"status":"queued"}'
local QUEUED_STOCK = '"status": "queued"}'

-- A waiting payload as it is while `worker_json` (the worker's id as JSON) runs it from `now` on; nil when the edit
-- would not be exact.
local function mark_active(p, now, worker_json)
  local head
  local attempts = 1
  if string.sub(p, -18) == QUEUED then
    head = string.sub(p, 1, -19)
    local at = string.find(p, '"attempts":', 1, true)
    if at then
      local n = string.match(p, '^"attempts":(%d+),"status":"queued"}$', at)
      if not n then return nil end
      attempts = tonumber(n) + 1
      head = string.sub(p, 1, at - 1)
    end
  elseif string.sub(p, -19) == QUEUED_STOCK then
    head = string.sub(p, 1, -20)
    if string.find(p, '"attempts":', 1, true) then return nil end
  else
    return nil
  end
  if string.find(p, '"started":', 1, true) or string.find(p, '"touched":', 1, true)
    or string.find(p, '"worker_id":', 1, true) then
    return nil
  end
  local at = text(now)
  return head .. '"status":"active","attempts":' .. attempts .. ',"started":' .. at .. ',"touched":' .. at
    .. ',"worker_id":' .. worker_json .. '}'
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
