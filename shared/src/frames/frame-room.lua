-- Head of store-frame.lua: whether this Redis has room for a frame.
-- KEYS[1] frame

-- Only a frame that needs more memory than the one it replaces is measured. The frame came with the
-- command, so the memory in use has it already; the one it replaces will be freed. A Redis that
-- evicts, that has no bound, or that may not be asked always has room.
local function hasRoom(size, firstLimit, growthLimit)
  local before = C('HSTRLEN', KEYS[1], 'bytes')
  if before > 0 and size <= before then return true end
  local info = redis.pcall('INFO', 'memory')
  if type(info) ~= 'string' or info:match('maxmemory_policy:(%w+)') ~= 'noeviction' then return true end
  local most = tonumber(info:match('maxmemory:(%d+)') or '0')
  if most == 0 then return true end
  local used = tonumber(info:match('used_memory:(%d+)')) - tonumber(info:match('mem_not_counted_for_evict:(%d+)') or '0')
  return used - before <= most * (before > 0 and growthLimit or firstLimit)
end
