-- Looks after running jobs: who was asked to abort, and whom somebody else holds now.
-- Preludes: names.
-- KEYS[1]  saq:Q:queued, for the cluster slot
-- ARGV[1]  Q
-- ARGV[2]  1: read every payload, not only those with an abort marker
-- then for each job two arguments: ID, W/TOKEN/
-- Returns for each: 0 (goes on), 1 (somebody else holds it), or its payload, when it is being aborted.

local n = names_of(ARGV[1])
local answers = {}
for i = 3, #ARGV, 2 do
  local id, who = ARGV[i], ARGV[i + 1]
  local answer = 0
  local owner = redis.call('HGET', n.owner, id) or ''
  if string.sub(owner, 1, #who) ~= who then
    answer = 1
  elseif ARGV[2] == '1' or redis.call('EXISTS', 'saq:abort:' .. string.sub(id, #n.prefix + 1)) == 1 then
    local payload = redis.pcall('GET', id)
    if type(payload) == 'string' and string.find(payload, '"status":%s?"aborting"') then answer = payload end
  end
  answers[#answers + 1] = answer
end
return answers
