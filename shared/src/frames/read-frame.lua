-- Reads a frame, or only its metadata, with the remembered failure and the camera's health, at one instant.
-- KEYS frame, failure, health
-- ARGV the reader's etag, whose bytes are not sent again; '*': no bytes at all
local C = redis.call
local t = C('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local head = C('HMGET', KEYS[1], 'startedAt', 'capturedAt', 'changedAt', 'type', 'etag', 'dueAt',
  'width', 'height')
local wanted = head[5] and head[5] ~= ARGV[1] and ARGV[1] ~= '*'
return { now, head, wanted and C('HGET', KEYS[1], 'bytes'), C('HSTRLEN', KEYS[1], 'bytes'),
  C('GET', KEYS[2]), C('PTTL', KEYS[2]),
  C('HMGET', KEYS[3], 'goodSince', 'failSince', 'failedAt', 'failNext', 'reason', 'askedFrom', 'askedUntil') }
