return { now, since, id }
