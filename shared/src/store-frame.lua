-- Stores a frame unless a newer one is there or its camera was purged since, and announces it. Behind good-frame.lua.
-- KEYS frame, failure, health, purged
-- ARGV started ago, captured ago, stale for (ms), type, etag, bytes, channel, message if new, message if unchanged,
--   the camera's own validators of these bytes, longest gap, frozen after (ms; 0: never), width, height,
--   PUBLISH or SPUBLISH
local t = C('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local started, captured = now - math.floor(ARGV[1]), now - math.floor(ARGV[2])
-- The call was under way when the camera was purged. A purge from the future is of a clock set back.
local purged = number(C('GET', KEYS[4]))
if purged and purged >= started and purged <= now then return 'purged' end
local old = C('HMGET', KEYS[1], 'startedAt', 'etag', 'changedAt', 'capturedAt', 'type')
local seen, changed = number(old[1]), number(old[3])
-- A frame from the future was stored before this clock was set back: it is no newer one.
if seen and seen >= started and seen <= now then return 'older' end
-- Bytes from the future count as new, or Last-Modified would stay ahead of the clock.
-- A record that isn't whole is written anew.
local whole = seen and changed and number(old[4]) and old[5] == ARGV[4] and C('HSTRLEN', KEYS[1], 'bytes') == #ARGV[6]
local same = whole and old[2] == ARGV[5] and changed <= now
local before = { captured = number(old[4]) or 0, changed = changed or 0 }
local frame = { now = now, started = started, captured = captured, changed = same and before.changed or captured }
if same then
  C('HSET', KEYS[1], 'startedAt', fmt('%.0f', started), 'capturedAt', fmt('%.0f', captured))
else
  C('HSET', KEYS[1], 'v', '1', 'startedAt', fmt('%.0f', started), 'capturedAt', fmt('%.0f', captured),
    'changedAt', fmt('%.0f', captured), 'type', ARGV[4], 'etag', ARGV[5], 'bytes', ARGV[6])
end
C('HSET', KEYS[1], 'validators', ARGV[10], 'width', ARGV[13], 'height', ARGV[14])
C('PEXPIRE', KEYS[1], ARGV[3])
C('DEL', KEYS[2])
local since = goodSince(frame, before, same, tonumber(ARGV[11]), tonumber(ARGV[12]))
local message, recovered = withFacts(same and ARGV[9] or ARGV[8], frame, since)
C(ARGV[#ARGV], ARGV[7], message)
return (same and 'unchanged' or 'frame') .. recovered
