-- Runs before store-frame.lua and renew-frame.lua: updates the camera's health after a good frame.
-- Runs after number.lua and frame-life.lua.
-- KEYS[1] frame, KEYS[3] health

-- Start of the run of good frames. A failure, a gap or the end of a freeze starts a new run.
local function goodSince(frame, before, same, gap, frozen)
  local health = C('HMGET', KEYS[3], 'goodSince', 'failSince')
  local since = number(health[1])
  local thawed = not same and frozen > 0 and before.captured - before.changed >= frozen
  if not since or since > frame.now or health[2] or thawed or frame.captured - before.captured > gap then
    return frame.captured
  end
  return since
end

-- Stores the facts. Returns the message with them, so that subscribers need not read the store, and
-- the suffix of the outcome.
local function withFacts(message, frame, since, healthLife)
  C('HSET', KEYS[3], 'goodSince', fmt('%.0f', since))
  local failing = C('HDEL', KEYS[3], 'failSince', 'failedAt', 'failNext', 'reason')
  keep(KEYS[3], healthLife)
  return message:sub(1, -2) .. fmt(
    ',"facts":{"startedAtMs":%.0f,"capturedAtMs":%.0f,"changedAtMs":%.0f,"goodSinceMs":%.0f}}',
    frame.started, frame.captured, frame.changed, since), failing > 0 and ' recovered' or ''
end

-- Since when the camera has been in use; a break as long as its frame is kept starts over.
local function inUseSince(text, frame)
  local since = number(text)
  return since and since <= frame.now and since or frame.started
end

-- When a camera with a variable interval is due, and what its calls have shown.
local function storeDueTime(started, freshFor, learned)
  if freshFor ~= '' then C('HSET', KEYS[1], 'dueAt', fmt('%.0f', started + freshFor)) end
  if learned ~= '' then C('HSET', KEYS[1], 'cadence', learned) end
end
