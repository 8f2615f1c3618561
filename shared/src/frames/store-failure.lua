-- Remembers a failure for a while, with the start of the run of failures, and announces it.
-- Keeps the last good frame until it is too old. Runs after number.lua and frame-life.lua.
-- KEYS frame, failure, health
-- ARGV failure, remember for, next in (ms), reason, channel, message, stale for,
--   keep at least, keep health at least (ms), PUBLISH or SPUBLISH
local t = C('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local frame = C('HMGET', KEYS[1], 'capturedAt', 'since')
local captured, used = number(frame[1]) or 0, number(frame[2]) or now
if frame[1] then
  -- The camera is due when it may be called again, even if no new picture was expected yet.
  C('HDEL', KEYS[1], 'dueAt')
  keep(KEYS[1], lifeOf(now, used, tonumber(ARGV[8]), captured + ARGV[7] - now))
end
local old = C('HMGET', KEYS[3], 'failSince', 'failedAt')
local since, last = number(old[1]), number(old[2]) or 0
-- A good frame ends the run, even if its worker did not record that here.
if not since or since > now or (captured > last and captured <= now) then since = now end
local nextAt = now + math.ceil(ARGV[3])
C('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
C('HSET', KEYS[3], 'failSince', fmt('%.0f', since), 'failedAt', fmt('%.0f', now),
  'failNext', fmt('%.0f', nextAt), 'reason', ARGV[4])
keep(KEYS[3], lifeOf(now, used, tonumber(ARGV[9]), 86400000))
C(ARGV[#ARGV], ARGV[5], ARGV[6]:sub(1, -2)
  .. fmt(',"facts":{"sinceMs":%.0f,"lastMs":%.0f,"nextAtMs":%.0f}}', since, now, nextAt))
return since == now and 'begun' or 'goes on'
