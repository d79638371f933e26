-- Prelude: settles all that a call brings. Needs settle.lua and, unless all of it completed, settle_each.lua.

-- Settles the jobs whose arguments begin at `first`; `queues` are the calls' queues (names_of), `bound` the history's.
-- Returns the numbers (from 1) of those refused, because somebody else holds the job now.
local function settle_all(queues, first, bound, now)
  local counts, refused, number = {}, {}, 0
  if first >= #ARGV then return refused end
  local at = first + 1
  for _ = 1, tonumber(ARGV[first]) do
    count_of(counts, queues[tonumber(ARGV[at])])[ARGV[at + 1]] = tonumber(ARGV[at + 2])
    at = at + 3
  end
  local groups = tonumber(ARGV[at])
  at = at + 1
  for _ = 1, groups do
    local size = tonumber(ARGV[at + 2])
    settle_completed(queues[tonumber(ARGV[at])], ARGV[at + 1], at + 3, size, bound, counts, refused, number)
    number = number + size
    at = at + 3 + 4 * size
  end
  if at <= #ARGV then settle_each(queues, at, number, bound, counts, refused, now) end
  write_counts(counts, now)
  return refused
end
