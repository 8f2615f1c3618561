-- Makes a stored frame younger after its camera responded with 304 to its validators.
-- Runs after number.lua, frame-life.lua and good-frame.lua.
-- KEYS frame, failure, health
-- ARGV started ago, captured ago, stale for (ms), etag, validators, channel, message if new, message if unchanged,
--   longest gap, frozen after (ms; 0: never), keep at least, keep health at least (ms),
--   with a variable interval: fresh for (ms) and the cadence; else both empty, PUBLISH or SPUBLISH
local t = C('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local started, captured = now - math.floor(ARGV[1]), now - math.floor(ARGV[2])
local old = C('HMGET', KEYS[1], 'startedAt', 'etag', 'changedAt', 'validators', 'capturedAt', 'since')
-- The 304 was about a frame that is no longer here.
if old[2] ~= ARGV[4] or old[4] ~= ARGV[5] then return 'missing' end
local seen, changed, capturedBefore = number(old[1]), number(old[3]), number(old[5])
-- An incomplete record cannot be renewed: the next call fetches the image.
if not seen or not changed or not capturedBefore or C('HSTRLEN', KEYS[1], 'bytes') == 0 then
  C('DEL', KEYS[1])
  return 'missing'
end
if seen >= started and seen <= now then return 'older' end
C('HSET', KEYS[1], 'startedAt', fmt('%.0f', started), 'capturedAt', fmt('%.0f', captured))
-- As in store-frame.lua: Last-Modified must not stay ahead of a clock that was set back.
local same = changed <= now
if not same then C('HSET', KEYS[1], 'changedAt', fmt('%.0f', captured)) end
storeDueTime(started, ARGV[13], ARGV[14])
C('DEL', KEYS[2])
local before = { captured = capturedBefore, changed = changed }
local frame = { now = now, started = started, captured = captured, changed = same and before.changed or captured }
local used = inUseSince(old[6], frame)
C('HSET', KEYS[1], 'since', fmt('%.0f', used))
C('PEXPIRE', KEYS[1], fmt('%.0f', lifeOf(now, used, tonumber(ARGV[11]), tonumber(ARGV[3]))))
local since = goodSince(frame, before, same, tonumber(ARGV[9]), tonumber(ARGV[10]))
local message, recovered = withFacts(same and ARGV[8] or ARGV[7], frame, since,
  lifeOf(now, used, tonumber(ARGV[12]), 86400000))
C(ARGV[#ARGV], ARGV[6], message)
return (same and 'unchanged' or 'frame') .. recovered
