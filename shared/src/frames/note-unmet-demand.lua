-- Records that requests for a camera go unmet while no frame or failure shows it.
-- Runs after number.lua.
-- KEYS health
-- ARGV unmet for, holds for (ms)
local t = C('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local old = C('HMGET', KEYS[1], 'askedFrom', 'askedUntil')
local from, before, till = now - math.floor(ARGV[1]), number(old[1]), number(old[2]) or 0
-- Overlapping notes, from any process, form one period.
if before and before <= now and till >= from then from = math.min(from, before) end
C('HSET', KEYS[1], 'askedFrom', fmt('%.0f', from), 'askedUntil', fmt('%.0f', now + ARGV[2]))
C('PEXPIRE', KEYS[1], 86400000)
