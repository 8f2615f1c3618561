-- Takes a permit. Returns {outcome, ms, now}. Runs after identity.lua.
-- KEYS epoch, permit, backoff, turn (of the camera), calls, rate, waiting (of the source)
-- ARGV token, life, replica lag (ms), concurrency, per second (0: no limit)
local life = tonumber(ARGV[2])
local hold = since + life + (replicated and tonumber(ARGV[3]) or 0) - now

-- Returns the rest of a key's life: at most the life in its value, whatever the clock did.
local function left(key)
  local value = C('GET', key)
  if not value then return 0 end
  local cap, ttl = tonumber(value:match('(%d+)$')), C('PTTL', key)
  if ttl < 0 or ttl > cap then
    C('PEXPIRE', key, cap)
    ttl = cap
  end
  return ttl + 1, value -- a key whose PTTL is 0 still lives
end

-- Clipped during a hold-off too: otherwise a permit from before a clock step would double it.
local wait, value = left(KEYS[2])
local rest = left(KEYS[3])
if hold > 0 then return { 'hold', hold, now } end
if wait > 0 then
  return { C('ZSCORE', KEYS[5], value:match('^%S+')) and 'busy' or 'spaced', wait, now }
end
if rest > 0 then return { 'backoff', rest, now } end

local most, rate = tonumber(ARGV[4]), tonumber(ARGV[5])
if most > 0 then
  -- A denied camera retries within this time if its frame is still wanted. Until then a free slot
  -- is its own: otherwise the camera whose call just ended would always take it first.
  local back, taken = 5000, C('ZCOUNT', KEYS[5], fmt('(%.0f', now), fmt('%.0f', now + 2 * life))
  local score = tonumber(C('ZSCORE', KEYS[7], KEYS[2]) or '')
  if not score or score <= now or score > now + back then
    taken = taken + C('ZCOUNT', KEYS[7], fmt('(%.0f', now), fmt('%.0f', now + back))
  end
  if taken >= most then
    C('ZREMRANGEBYSCORE', KEYS[7], '-inf', fmt('%.0f', now))
    C('ZREMRANGEBYSCORE', KEYS[7], fmt('(%.0f', now + back), '+inf')
    C('ZADD', KEYS[7], fmt('%.0f', now + back), KEYS[2])
    C('PEXPIRE', KEYS[7], fmt('%.0f', 2 * back))
    return { 'budget', 500, now }
  end
end
if rate > 0 then -- each camera reserves a turn of its own, so that none starves
  local gap, far = math.ceil(1000 / rate), now + 60000
  local turn = tonumber(C('GET', KEYS[4]) or '')
  if turn and turn > now and turn <= far then return { 'budget', turn - now, now } end
  if not turn or turn > far then
    local free = tonumber(C('GET', KEYS[6]) or '') or 0
    if free > far + gap then free = now end
    if free > far then return { 'budget', 5000, now } end
    C('SET', KEYS[6], fmt('%.0f', math.max(free, now) + gap), 'PX', 120000 + gap)
    if free > now then
      C('SET', KEYS[4], fmt('%.0f', free), 'PX', fmt('%.0f', free - now + 5000))
      return { 'budget', free - now, now }
    end
  end
end

-- One command, so that every permit expires.
C('SET', KEYS[2], ARGV[1] .. ' ' .. ARGV[2], 'PX', ARGV[2])
C('DEL', KEYS[4])
if most > 0 then C('ZREM', KEYS[7], KEYS[2]) end
C('ZREMRANGEBYSCORE', KEYS[5], '-inf', fmt('%.0f', now))
C('ZREMRANGEBYSCORE', KEYS[5], fmt('(%.0f', now + 2 * life), '+inf')
C('ZADD', KEYS[5], fmt('%.0f', now + life), ARGV[1])
C('PEXPIRE', KEYS[5], fmt('%.0f', 2 * life))
return { 'granted', life, now }
