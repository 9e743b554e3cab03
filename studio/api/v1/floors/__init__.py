"""Limits that nobody may loosen."""
