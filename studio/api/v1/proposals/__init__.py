"""Proposals over HTTP: what the Regenerator suggests, and what people decide about it."""
