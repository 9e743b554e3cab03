"""The catalog of all events."""
