-- Ends a permit's call: the permit then lasts for the rest of the spacing.
-- Returns {owned, ms until the next permit, id of the camera whose turn it is now}.
-- KEYS permit, backoff, failures (of the camera), calls, waiting since (of the source)
-- ARGV token, rest (ms; 0: nothing was sent), ok|fail|none|late, base, cap, least back-off (ms),
-- concurrency (0: no limit)
local C = redis.call
local rest, cap, back = math.ceil(tonumber(ARGV[2])), tonumber(ARGV[5]), 0
local first = C('ZREM', KEYS[4], ARGV[1]) == 1
local value = C('GET', KEYS[1])
local most, turn = tonumber(ARGV[7]), nil
if first and most > 0 then
  -- With several slots free, the cameras at the head of the line have been notified before.
  local free = most - C('ZCARD', KEYS[4])
  if free > 0 then turn = C('ZRANGE', KEYS[5], free - 1, free - 1)[1] end
end
-- Only its owner changes a permit: a late finish must not shorten another's.
if not value or value:match('^%S+') ~= ARGV[1] then return { 0, 0, turn } end
if rest > 0 then C('PEXPIRE', KEYS[1], string.format('%.0f', rest)) else C('DEL', KEYS[1]) end
-- A retried finish, after a late reply: one call fails once.
if not first then
  back = math.max(0, C('PTTL', KEYS[2]))
elseif ARGV[3] == 'ok' then
  C('DEL', KEYS[2], KEYS[3])
elseif ARGV[3] == 'fail' then
  local n = (tonumber(C('GET', KEYS[3]) or '') or 0) + 1
  if n > 1 then back = ARGV[4] * 2 ^ math.min(n - 1, 20) end
  back = math.floor(math.max(math.min(cap, back), tonumber(ARGV[6])))
  local ms = string.format('%.0f', back)
  redis.pcall('SET', KEYS[3], string.format('%.0f', n), 'PX', string.format('%.0f', 2 * math.max(cap, back)))
  if back > 0 then redis.pcall('SET', KEYS[2], ms, 'PX', ms) end
end
return { 1, math.max(rest, back), turn }
