-- Purges one camera. A hard purge deletes its records and leaves a mark for calls under way.
-- KEYS frame, failure, health, purged
-- ARGV 'hard' or 'soft', how long an earlier frame may be around (ms)
local C = redis.call
local t = C('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local had = { C('EXISTS', KEYS[1]), C('EXISTS', KEYS[2]) }
if ARGV[1] == 'hard' then
  C('DEL', KEYS[1], KEYS[2], KEYS[3])
  C('SET', KEYS[4], string.format('%.0f', now), 'PX', ARGV[2])
end
return { now, had[1], had[2] }
