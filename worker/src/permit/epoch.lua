-- Returns what identity.lua, which runs before it, found out.
return { now, since, id, replicated and 1 or 0 }
