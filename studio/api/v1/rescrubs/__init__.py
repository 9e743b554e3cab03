"""Hiding after the fact, over HTTP."""
