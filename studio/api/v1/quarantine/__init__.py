"""The quarantine: held events in groups, and what becomes of them."""
