"""Refused events that are held for some days: put away, mended and taken in after all, or let go.

Nothing is imported here, so that ingest can call ``holding`` while ``replaying`` calls ingest.
"""
