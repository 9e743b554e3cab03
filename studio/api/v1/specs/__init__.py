"""Specs: their drafts and their frozen versions."""
