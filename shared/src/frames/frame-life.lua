-- Runs before the scripts that store frames and failures: how long a camera's data is kept.
-- Runs after number.lua.

-- As long as the camera has been in use, within these bounds (ms).
local function lifeOf(now, since, least, most)
  return math.min(most, math.max(least, now - since))
end

-- Never shortens a TTL that another process has set.
local function keep(key, ms)
  if ms > C('PTTL', key) then C('PEXPIRE', key, fmt('%.0f', ms)) end
end
