-- Head of the scripts that store frames and failures: how long what is known of a camera is kept.
-- Behind number.lua.

-- As long as the camera has been in use, but at least and at most so long (ms).
local function lifeOf(now, since, least, most)
  return math.min(most, math.max(least, now - since))
end

-- Never shortens what another process has set.
local function keep(key, ms)
  if ms > C('PTTL', key) then C('PEXPIRE', key, fmt('%.0f', ms)) end
end
