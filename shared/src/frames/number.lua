-- Runs before the scripts that read stored numbers.
local C, fmt = redis.call, string.format

-- A stored number, or nil if the field holds anything else: arithmetic on that would fail every time,
-- and the field could never be overwritten.
local function number(text)
  local value = tonumber(text or '')
  return value and value >= 0 and value < 1e15 and value or nil
end
