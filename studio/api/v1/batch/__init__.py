"""Batches of events, as our own trackers and servers send them."""
