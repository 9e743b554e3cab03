"""Passing events on: a claim is taken, sent outside of any transaction, and settled by how that went.

Nothing in here holds a lock while it waits for the other end, and one provider's trouble is never another's: each is
claimed, rests and recovers by itself.
"""
