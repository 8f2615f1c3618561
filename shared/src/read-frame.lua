-- Reads a frame, or only its times, with the failure that is remembered, at one instant.
-- KEYS frame, failure
-- ARGV the etag that the reader has: its bytes are not sent again
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local head = redis.call('HMGET', KEYS[1], 'startedAt', 'capturedAt', 'changedAt', 'type', 'etag')
local bytes = head[5] and head[5] ~= ARGV[1] and redis.call('HGET', KEYS[1], 'bytes')
return { now, head[1], head[2], head[3], head[4], head[5], bytes,
  redis.call('GET', KEYS[2]), redis.call('PTTL', KEYS[2]) }
