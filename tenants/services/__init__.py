"""Changes of the data, verb first; each takes the actor, writes its audit entry and does both or nothing."""
