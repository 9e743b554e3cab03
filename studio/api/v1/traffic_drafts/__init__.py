"""Drafts of specs from what came."""
