-- Prelude of the operators' scripts, after the engine's names.lua and failed.lua: a failed job's whole entry, out and in.

-- Takes KEY out of the failed index; returns its row, its payload and its signature's row (false where there was none).
local function take_whole(n, key)
  local row = redis.call('HGET', n.failed_rows, key)
  local raw = redis.call('HGET', n.failed_jobs, key)
  local signature = index_of(row)
  local signature_row = signature and redis.call('HGET', n.signature_rows, signature) or false
  take_failed(n, key)
  return row, raw, signature_row
end

-- Puts KEY back into the failed index as `take_whole` gave it.
local function put_whole(n, key, at, row, raw, signature_row)
  local signature, name = index_of(row)
  put_failed(n, key, at, signature or '', signature_row or '', name or '', row or '', raw or '')
end
