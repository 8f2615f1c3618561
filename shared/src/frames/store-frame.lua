-- Stores a frame and announces it, unless a newer one is there, its camera was purged since, or there is
-- no room. Runs after number.lua, frame-life.lua, frame-room.lua and good-frame.lua.
-- KEYS frame, failure, health, purged
-- ARGV started ago, captured ago, stale for (ms), type, etag, bytes, channel, message if new, message if unchanged,
--   the camera's own validators of these bytes, longest gap, frozen after (ms; 0: never), width, height,
--   keep at least, keep health at least (ms), the shares of memory that a first frame and a larger one may fill,
--   with a variable interval: fresh for (ms) and the cadence; else both empty, PUBLISH or SPUBLISH
local t = C('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local started, captured = now - math.floor(ARGV[1]), now - math.floor(ARGV[2])
-- The call was under way when the camera was purged. A purge in the future predates a clock set back.
local purged = number(C('GET', KEYS[4]))
if purged and purged >= started and purged <= now then return 'purged' end
local old = C('HMGET', KEYS[1], 'startedAt', 'etag', 'changedAt', 'capturedAt', 'type', 'since')
local seen, changed = number(old[1]), number(old[3])
-- A frame in the future was stored before the clock was set back: it is not newer.
if seen and seen >= started and seen <= now then return 'older' end
-- Bytes from the future count as new, or Last-Modified would stay ahead of the clock.
-- An incomplete record is rewritten.
local whole = seen and changed and number(old[4]) and old[5] == ARGV[4] and C('HSTRLEN', KEYS[1], 'bytes') == #ARGV[6]
local same = whole and old[2] == ARGV[5] and changed <= now
local before = { captured = number(old[4]) or 0, changed = changed or 0 }
local frame = { now = now, started = started, captured = captured, changed = same and before.changed or captured }
if not same and not hasRoom(#ARGV[6], tonumber(ARGV[17]), tonumber(ARGV[18])) then
  return old[1] and 'no room to grow' or 'no room'
end
if same then
  C('HSET', KEYS[1], 'startedAt', fmt('%.0f', started), 'capturedAt', fmt('%.0f', captured))
else
  C('HSET', KEYS[1], 'v', '1', 'startedAt', fmt('%.0f', started), 'capturedAt', fmt('%.0f', captured),
    'changedAt', fmt('%.0f', captured), 'type', ARGV[4], 'etag', ARGV[5], 'bytes', ARGV[6])
end
local used = inUseSince(old[6], frame)
C('HSET', KEYS[1], 'validators', ARGV[10], 'width', ARGV[13], 'height', ARGV[14], 'since', fmt('%.0f', used))
C('PEXPIRE', KEYS[1], fmt('%.0f', lifeOf(now, used, tonumber(ARGV[15]), tonumber(ARGV[3]))))
storeDueTime(started, ARGV[19], ARGV[20])
C('DEL', KEYS[2])
local since = goodSince(frame, before, same, tonumber(ARGV[11]), tonumber(ARGV[12]))
local message, recovered = withFacts(same and ARGV[9] or ARGV[8], frame, since,
  lifeOf(now, used, tonumber(ARGV[16]), 86400000))
C(ARGV[#ARGV], ARGV[7], message)
return (same and 'unchanged' or 'frame') .. recovered
