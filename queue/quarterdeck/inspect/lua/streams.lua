-- A chapter of the snapshot script (see program.py): what streams know about themselves.

-- How many entries were ever added to a stream.
-- ARGV  1 the stream
-- Returns the count (0 where there is no stream), or false where the server does not count (before Redis 7).
OPS['added'] = function(a)
  if call('EXISTS', a[1]) == 0 then return 0 end
  local about = call('XINFO', 'STREAM', a[1])
  for i = 1, #about, 2 do
    if about[i] == 'entries-added' then return about[i + 1] end
  end
  return false
end
