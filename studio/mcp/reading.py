"""Reading without being able to write, whoever wrote the code that reads."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

__all__ = ["reading_only"]


@contextmanager
def reading_only() -> Iterator[None]:
    """Within the block the database refuses every write, and the block's work is rolled back at its end.

    After it, the request's transaction is as it was: what is set inside a savepoint ends with it.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        yield
        transaction.set_rollback(True)
