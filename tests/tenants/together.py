"""Calls that happen at the same time, each on a database connection of its own."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection

from telemetry.core.errors import TelemetryError

__all__ = ["run_together", "wait_for_a_blocked_session"]

T = TypeVar("T")


def run_together(*calls: Callable[[], T]) -> list[T | TelemetryError]:
    """The results, in the order of the calls; one that raised an error of ours gives the error instead."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], T]) -> T | TelemetryError:
        try:
            connection.ensure_connection()
            barrier.wait()
            return call()
        except TelemetryError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


def wait_for_a_blocked_session() -> None:
    """Return once another session of this database waits for a lock."""
    blocked = """
        SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE NOT granted AND datname = current_database()
    """
    with connection.cursor() as cursor:
        while True:
            cursor.execute(blocked)
            if cursor.fetchone() != (0,):
                return
            # What this transaction has seen of the others is kept for its length otherwise.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            time.sleep(0.01)
