"""Batches of events on their way in; ``service.ingest_batch`` is the one way.

Nothing is imported here, so that what is called within the batch's transaction (violations, outbox) can import the
types from ``processed`` without a cycle.
"""
