-- Runs before store-frame.lua: checks whether this Redis has room for a frame.
-- KEYS[1] frame

-- Checks only a frame larger than the one it replaces. The memory in use already includes the new frame,
-- which came with the command; the replaced one will be freed. A Redis that evicts, has no limit or
-- denies INFO always has room.
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
