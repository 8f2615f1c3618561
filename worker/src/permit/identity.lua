-- Runs before epoch.lua and take.lua, and sets C, fmt, now, since, id, replicated: Redis's time, its
-- identity, and since when it is trusted.
-- A new run_id means a restart, a new master_replid a promotion, no record an emptied Redis, a
-- record from the future a clock set back. Each may have lost permits, so the hold-off restarts.
-- KEYS[1] epoch   ARGV[1] 'step': the clock stepped; 'adopt': trust it at once
local C, fmt = redis.call, string.format
local t = C('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local replication = C('INFO', 'replication')
local run, line = C('INFO', 'server'):match('run_id:(%x+)'), replication:match('master_replid:(%x+)')
if not run or not line then return redis.error_reply('NOEPOCH this Redis does not report its run_id and master_replid') end
-- After a promotion a second replid remains, even before any replica connects. A restart forgets it
-- while the old primary may still grant permits, so the record keeps it for good.
local replicated = not replication:find('connected_slaves:0', 1, true)
  or (replication:match('master_replid2:(%x+)') or ''):find('[1-9a-f]') ~= nil
local id = run .. '-' .. line
local seen, since, mark = (C('GET', KEYS[1]) or ''):match('^(%S+) (%d+) ?(%a*)$')
since = tonumber(since)
local marked = mark == 'replicated'
local anew = seen ~= id or since > now or ARGV[1] == 'step'
if anew then since = ARGV[1] == 'adopt' and 0 or now end
if anew or (replicated and not marked) then
  C('SET', KEYS[1], fmt('%s %.0f', id, since) .. ((replicated or marked) and ' replicated' or ''))
end
replicated = replicated or marked
