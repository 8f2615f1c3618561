-- Takes a permit. Returns {outcome, ms, now}. Runs after identity.lua.
-- KEYS epoch, permit, backoff, turn (of the camera), calls, rate, waiting since, waiting until (of
-- the source)
-- ARGV token, life, replica lag (ms), concurrency, per second (0: no limit), camera id, first call
-- ('1': the camera has no frame yet)
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
  -- Free slots belong to the cameras that have waited for longest. A camera that is still wanted
  -- asks again within `back`; one that does not leaves the line.
  local back = 5000
  local function forget(from, to)
    for _, gone in ipairs(C('ZRANGEBYSCORE', KEYS[8], from, to)) do
      C('ZREM', KEYS[7], gone)
      C('ZREM', KEYS[8], gone)
    end
  end
  forget('-inf', fmt('%.0f', now))
  forget(fmt('(%.0f', now + back), '+inf') -- from before the clock was set back
  local taken = C('ZCOUNT', KEYS[5], fmt('(%.0f', now), fmt('%.0f', now + 2 * life))
  local ahead = C('ZRANK', KEYS[7], ARGV[6]) or C('ZCARD', KEYS[7])
  if taken + ahead >= most then
    -- A first call lines up as if it came later: anybody can make up new cameras, whose viewers
    -- wait no longer than this.
    local later = ARGV[7] == '1' and 20000 or 0
    C('ZADD', KEYS[7], 'NX', fmt('%.0f', now + later), ARGV[6])
    C('ZADD', KEYS[8], fmt('%.0f', now + back), ARGV[6])
    for n = 7, 8 do C('PEXPIRE', KEYS[n], fmt('%.0f', 2 * back)) end
    -- The end of a call notifies the next in line. This is in case that gets lost, and is too long
    -- for a job to wait in a worker, where a notification would not reach it.
    return { 'budget', 2500, now }
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
if most > 0 then
  for n = 7, 8 do C('ZREM', KEYS[n], ARGV[6]) end
end
C('ZREMRANGEBYSCORE', KEYS[5], '-inf', fmt('%.0f', now))
C('ZREMRANGEBYSCORE', KEYS[5], fmt('(%.0f', now + 2 * life), '+inf')
C('ZADD', KEYS[5], fmt('%.0f', now + life), ARGV[1])
C('PEXPIRE', KEYS[5], fmt('%.0f', 2 * life))
return { 'granted', life, now }
