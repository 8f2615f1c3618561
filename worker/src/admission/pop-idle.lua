-- Takes the places of some idle cameras, and says whose they were. Behind places.lua.
-- ARGV how many at most
return popIdle(tonumber(ARGV[1]))
