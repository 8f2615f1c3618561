-- Evicts some idle cameras and returns them. Runs after places.lua.
-- ARGV most to evict
return popIdle(tonumber(ARGV[1]))
