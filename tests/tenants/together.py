"""Calls that happen at the same time, each on a database connection of its own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection

from telemetry.core.errors import TelemetryError

__all__ = ["run_together"]

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
