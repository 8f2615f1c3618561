-- Runs before admit.lua and pop-idle.lua. A source's places: its unnamed cameras, each with the time
-- from which it counts as idle.
-- KEYS places
local C, fmt = redis.call, string.format
local t = C('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)

-- Evicts the cameras that have been idle for longest.
local function popIdle(most)
  local idle = C('ZRANGEBYSCORE', KEYS[1], '-inf', fmt('%.0f', now), 'LIMIT', 0, most)
  if #idle > 0 then C('ZREM', KEYS[1], unpack(idle)) end
  return idle
end
