"""Hearing of changes: PostgreSQL tells when the revision counter moves, and is asked now and then all the same."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

import psycopg
from django.conf import settings
from django.db import Error
from django.db import connection as django_connection
from psycopg import sql

from tenants.config_lease import CHANNEL

__all__ = ["watch"]

logger = logging.getLogger(__name__)

# How late a change is heard of at worst, when a notification is lost or the connection is deaf.
POLL_SECONDS: Final = 5.0
# Between attempts to get a connection back.
RETRY_SECONDS: Final = 1.0
# A planned change holds from its instant on; a look a moment after it is sure to see it.
LATE_SECONDS: Final = 0.02

READ: Final = """
SELECT value, extract(epoch FROM next_change_at - clock_timestamp())::float8 FROM tenants_configrevisioncounter
"""


async def watch(look_at_all: Callable[[], Awaitable[None]]) -> None:
    """``look_at_all`` is called after every change, at every planned one, and after each reconnection.

    Runs until it is cancelled, whatever the database does.
    """
    is_lost = False
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(**_parameters(), autocommit=True) as connection:
                is_lost = False
                await _listen(connection, look_at_all)
        except (psycopg.Error, Error, OSError) as error:
            # Once for each outage. The class only: a message may hold the address with its password.
            if not is_lost:
                logger.warning("streams.watch.lost", extra={"error": type(error).__qualname__})
            is_lost = True
        await asyncio.sleep(RETRY_SECONDS)


async def _listen(connection: psycopg.AsyncConnection, look_at_all: Callable[[], Awaitable[None]]) -> None:
    await connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(settings.STUDIO_DATABASE_ROLE)))
    await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
    known: int | None = None
    while True:
        value, seconds = await _read(connection)
        # While a planned change is due and no job has settled it, more of them may become due unannounced.
        is_due = seconds is not None and seconds <= 0
        if value != known or is_due:
            await look_at_all()
            known = value
        pause = POLL_SECONDS
        if seconds is not None and seconds > 0:
            pause = min(pause, seconds + LATE_SECONDS)
        async for _ in connection.notifies(timeout=pause, stop_after=1):
            pass


async def _read(connection: psycopg.AsyncConnection) -> tuple[int, float | None]:
    """The revision counter, and the seconds until the next planned change anywhere, if there is one."""
    row = await (await connection.execute(READ)).fetchone()
    return (0, None) if row is None else (row[0], row[1])


def _parameters() -> dict[str, Any]:
    parameters: dict[str, Any] = django_connection.get_connection_params()
    del parameters["cursor_factory"], parameters["context"]
    return parameters | {"application_name": "studio streams"}
