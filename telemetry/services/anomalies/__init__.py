"""Anomaly rules at work: which there are at an installation, what they read in tallies, and what they say of it."""
