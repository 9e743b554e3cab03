"""Erasure requests: entered, confirmed, followed to their receipt."""
