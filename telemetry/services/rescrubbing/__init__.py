"""Hiding after the fact: counted first, done on a person's word, looked at once more, and proved by a receipt."""
