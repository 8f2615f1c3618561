-- Renews a camera's place, or gives it a free one. Runs after places.lua.
-- ARGV camera, idle after (ms), most places (0: no limit), 1 when there is no memory for new
--   cameras, forget an idle camera after (ms)
-- Returns the outcome, how long until a place may be free (ms), and the evicted cameras.
local idleAfter, most, forget = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[5])
local taken = {}
if not C('ZSCORE', KEYS[1], ARGV[1]) then
  C('ZREMRANGEBYSCORE', KEYS[1], '-inf', fmt('%.0f', now - forget))
  if ARGV[4] == '1' then return { 'memory', 0, taken } end
  local excess = most > 0 and C('ZCARD', KEYS[1]) - most + 1 or 0
  if excess > 0 then taken = popIdle(math.min(excess, 100)) end
  if #taken < excess then
    -- Only a clock that was set back leaves scores so far ahead.
    local ahead = C('ZRANGEBYSCORE', KEYS[1], fmt('(%.0f', now + 2 * forget), '+inf', 'LIMIT', 0, 100)
    for _, camera in ipairs(ahead) do C('ZADD', KEYS[1], fmt('%.0f', now + idleAfter), camera) end
    local first = C('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
    return { 'places', math.max(0, math.ceil((tonumber(first[2]) or now) - now)), taken }
  end
end
-- A place that was kept for longer stays so.
C('ZADD', KEYS[1], 'GT', fmt('%.0f', now + idleAfter), ARGV[1])
C('PEXPIRE', KEYS[1], fmt('%.0f', 2 * forget))
return { 'admitted', 0, taken }
