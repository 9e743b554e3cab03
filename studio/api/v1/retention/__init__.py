"""Retention: what is kept how long, what is removed, what is held, and the receipts of it."""
