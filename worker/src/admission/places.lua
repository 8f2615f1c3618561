-- Head of admit.lua and pop-idle.lua. A source's places: the cameras without a name that the fleet
-- keeps, each with the time from which it counts as idle.
-- KEYS places
local C, fmt = redis.call, string.format
local t = C('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)

-- Takes the places of those that have been idle for the longest time.
local function popIdle(most)
  local idle = C('ZRANGEBYSCORE', KEYS[1], '-inf', fmt('%.0f', now), 'LIMIT', 0, most)
  if #idle > 0 then C('ZREM', KEYS[1], unpack(idle)) end
  return idle
end
