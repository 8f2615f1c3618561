-- Head of the scripts that read numbers which are stored.
local C, fmt = redis.call, string.format

-- A stored number, or nil where the field holds anything else: arithmetic on that would fail each
-- time, and nothing new could ever be stored over it.
local function number(text)
  local value = tonumber(text or '')
  return value and value >= 0 and value < 1e15 and value or nil
end
