"""Segment's clients."""
