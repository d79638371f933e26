-- The reads of reading.lua as operations of a snapshot script (quarterdeck/inspect/lua/reads.lua): OPS[name](args).

-- a = Q, first, count, runs of each
OPS['schedules'] = function(a)
  return schedule_window(a[1], clock_ms(), tonumber(a[2]), tonumber(a[3]), tonumber(a[4]))
end

-- a = Q, count, runs of each
OPS['schedules-broken'] = function(a) return broken_window(a[1], clock_ms(), tonumber(a[2]), tonumber(a[3])) end

-- a = Q, name, runs
OPS['schedule'] = function(a) return schedule_of(keys_of(a[1]), a[2], clock_ms(), tonumber(a[3])) end

-- a = Q, name or '', low, high, first, count
OPS['schedule-runs'] = function(a) return run_window(a[1], a[2], a[3], a[4], tonumber(a[5]), tonumber(a[6])) end
