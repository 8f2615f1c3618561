return { now, since, id, replicated and 1 or 0 }
