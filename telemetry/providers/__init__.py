"""Places outside to which kept events are passed on, each through its official client, all through one guarded door."""
