-- Stores a frame unless a newer one is there, and announces it.
-- KEYS frame, failure
-- ARGV started ago, captured ago, stale for (ms), type, etag, bytes, channel, message if new, message if unchanged,
--   PUBLISH or SPUBLISH, the camera's own validators of these bytes
local C, fmt = redis.call, string.format
local t = C('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local started, captured = now - math.floor(ARGV[1]), now - math.floor(ARGV[2])
local old = C('HMGET', KEYS[1], 'startedAt', 'etag', 'changedAt')
local seen = tonumber(old[1] or '')
-- A frame from the future was stored before this clock was set back: it is no newer one.
if seen and seen >= started and seen <= now then return 'older' end
-- Bytes from the future count as new, or Last-Modified would stay ahead of the clock.
local same = old[2] == ARGV[5] and tonumber(old[3] or '0') <= now
if same then
  C('HSET', KEYS[1], 'startedAt', fmt('%.0f', started), 'capturedAt', fmt('%.0f', captured))
else
  C('HSET', KEYS[1], 'v', '1', 'startedAt', fmt('%.0f', started), 'capturedAt', fmt('%.0f', captured),
    'changedAt', fmt('%.0f', captured), 'type', ARGV[4], 'etag', ARGV[5], 'bytes', ARGV[6])
end
C('HSET', KEYS[1], 'validators', ARGV[11])
C('PEXPIRE', KEYS[1], ARGV[3])
C('DEL', KEYS[2])
C(ARGV[10], ARGV[7], same and ARGV[9] or ARGV[8])
return same and 'unchanged' or 'frame'
