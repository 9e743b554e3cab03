"""Config leases in tests: held by a thread of the test's own process, on a connection of its own."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from tenants.config_lease import ConfigLease, KnownState

__all__ = ["PATIENCE", "hang_up_on", "held", "known", "wait_until"]

# Seconds until a test that waits for something gives up. No test asserts that anything is faster.
PATIENCE = 60.0


@contextmanager
def held(lease: ConfigLease | None = None) -> Iterator[ConfigLease]:
    """A lease that holds when the block begins, and is given back at its end."""
    lease = lease or ConfigLease()
    lease.start()
    try:
        wait_until(lambda: lease.current() is not None)
        yield lease
    finally:
        lease.stop()


def wait_until(condition: Callable[[], bool]) -> None:
    """Return once the condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.002)


def known(lease: ConfigLease) -> KnownState:
    """What a lease that holds knows."""
    state = lease.current()
    assert state is not None
    return state


def hang_up_on(application_name: str, owner_connection: psycopg.Connection) -> None:
    """The test database ends the connections that call themselves so."""
    owner_connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = %s AND datname = current_database()",
        [application_name],
    )
