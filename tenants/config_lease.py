"""The right to answer configs from memory: how a process knows that nothing has changed, without asking each time.

A process that holds a lease has a row in ``tenants_configreader`` and listens. Whoever commits a change waits until
every such process has said that it knows, or until its lease must have run out; see ``docs/adr/0004-config-lease.md``
and ``tenants.services.config_readers``, the other half.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any, Final, NamedTuple

import psycopg
from django.conf import settings
from django.db import connection as django_connection
from psycopg import sql

__all__ = ["CHANNEL", "PROCESS_LEASE", "SILENCE_SECONDS", "ConfigLease", "KnownState", "ProcessLease", "boot_seconds"]

logger = logging.getLogger(__name__)

# What ``bump`` notifies. The payload is not read: any role of the database could write one.
CHANNEL: Final = "studio_config"

# Three signs of life within the time that one of them is worth, so that a slow one does not end the lease.
RENEW_SECONDS: Final = 0.4
TRUST_SECONDS: Final = 1.2
# How long a publisher waits for a process that says nothing. More than ``TRUST_SECONDS`` by what two clocks of two
# machines can differ in two seconds, and then some: 0.8 seconds are 40 percent.
SILENCE_SECONDS: Final = 2.0
# Between attempts to get a connection back.
RETRY_SECONDS: Final = 0.5

RENEW: Final = """
UPDATE tenants_configreader SET renewals = renewals + 1 WHERE id = %s
RETURNING coalesce((SELECT value FROM tenants_configrevisioncounter), 0)
"""


def boot_seconds() -> float:
    """Seconds on a clock that never jumps and, unlike ``time.monotonic`` on Linux, goes on while a machine sleeps."""
    return time.clock_gettime(_CLOCK)


_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class KnownState(NamedTuple):
    """What a process knows of all configs, keys and tenants: everything up to ``value`` of the revision counter.

    Compare states by identity. ``session`` differs after each reconnection, for a restored database counts anew.
    """

    session: int
    value: int


class ConfigLease:
    """While it holds, no change to a config, key or tenant whose caller has been told is unknown to this process.

    One daemon thread with a database connection of its own. ``stale_seconds`` above 0 lengthens the lease by as much,
    so that answers go on while the database is away, and may then be that old. What time alone changes is for those who
    remember something to know: see "What a cache has to honour" in ``docs/adr/0005-planned-changes.md``.
    """

    def __init__(self, *, stale_seconds: float = 0.0, clock: Callable[[], float] = boot_seconds) -> None:
        self._stale_seconds = stale_seconds
        self._clock = clock
        self._sessions = count(1)
        self._state = KnownState(0, 0)
        self._ends_at = float("-inf")
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def current(self) -> KnownState | None:
        """What is known, the same object until something changes; ``None`` while the lease does not hold. No query.

        Read it before the database: what is read after it is at least as new.
        """
        return self._state if self._clock() < self._ends_at else None

    def start(self) -> None:
        """The thread runs; calling again does nothing."""
        if self._thread is not None:
            return
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="config-lease", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """The lease has ended and the row is gone, unless the database is away."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        is_lost = False
        while not self._stop.is_set():
            try:
                with psycopg.connect(**_parameters(), autocommit=True) as connection:
                    is_lost = False
                    self._hold(connection)
            except (psycopg.Error, OSError) as error:
                # Once for each outage. The class only: a message may hold the address with its password.
                if not is_lost:
                    logger.warning("config.lease.lost", extra={"error": type(error).__qualname__})
                is_lost = True
            finally:
                if not self._stale_seconds:
                    self._ends_at = float("-inf")
            self._stop.wait(RETRY_SECONDS)
        self._ends_at = float("-inf")

    def _hold(self, connection: psycopg.Connection) -> None:
        """Renew until told to stop; raises ``psycopg.Error`` or returns when the lease is lost."""
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(settings.STUDIO_DATABASE_ROLE)))
        connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
        # Committed before the counter is read for the first time. In one statement, a publisher could commit after
        # the counter was read and not see the row yet.
        row = connection.execute(
            "INSERT INTO tenants_configreader (seen, renewals, started_at) VALUES (0, 0, now()) RETURNING id"
        ).fetchone()
        assert row is not None  # noqa: S101 - an INSERT that returns
        # A renewal that a crash of the server forgets is one that the lost connection makes void.
        connection.execute("SET synchronous_commit = off")
        session = Session(connection, reader_id=row[0], number=next(self._sessions))
        try:
            while not self._stop.is_set() and self._renew(session):
                for _ in connection.notifies(timeout=RENEW_SECONDS, stop_after=1):
                    pass
        finally:
            # The end comes before the row goes: publishers no longer wait for this process then.
            if not self._stale_seconds or self._stop.is_set():
                self._ends_at = float("-inf")
            with suppress(psycopg.Error):
                connection.execute("DELETE FROM tenants_configreader WHERE id = %s", [session.reader_id])

    def _renew(self, session: "Session") -> bool:
        """The lease holds anew and publishers know what this process knows; false when the row is gone."""
        asked_at = self._clock()
        row = session.connection.execute(RENEW, [session.reader_id]).fetchone()
        if row is None:
            return False
        known = KnownState(session.number, row[0])
        if known != self._state:
            self._state = known
        # Counted from the question, not from the answer, which may have been long on its way.
        self._ends_at = asked_at + TRUST_SECONDS + self._stale_seconds
        if known.value != session.acknowledged:
            # Only now: whoever reads it takes it that this process will not use what it knew before.
            session.connection.execute(
                "UPDATE tenants_configreader SET seen = %s WHERE id = %s", [known.value, session.reader_id]
            )
            session.acknowledged = known.value
        return True


class ProcessLease:
    """The lease of this process, for everybody in it who remembers something; web servers have one, others none."""

    def __init__(self) -> None:
        self.lease: ConfigLease | None = None

    def current(self) -> KnownState | None:
        """What is known, as ``ConfigLease.current`` says; ``None`` without a lease. The first call starts it."""
        if self.lease is None:
            return None
        self.lease.start()
        return self.lease.current()


PROCESS_LEASE: Final = ProcessLease()


class Session:
    """One connection's worth of lease."""

    def __init__(self, connection: psycopg.Connection, *, reader_id: int, number: int) -> None:
        self.connection, self.reader_id, self.number = connection, reader_id, number
        self.acknowledged = 0


def _parameters() -> dict[str, Any]:
    parameters: dict[str, Any] = django_connection.get_connection_params()
    del parameters["cursor_factory"], parameters["context"]
    return parameters | {"application_name": "studio config lease"}
