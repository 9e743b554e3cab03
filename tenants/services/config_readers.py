"""Telling the processes that answer configs from memory, see ``tenants.config_lease``."""

import time
from typing import Final

from django.db import Error, connection

from tenants.config_lease import SILENCE_SECONDS, boot_seconds

__all__ = ["wait_for_readers"]

# Seconds between looks: a process answers within about five milliseconds, longer under load.
FIRST_PAUSE: Final = 0.001
LONGEST_PAUSE: Final = 0.02

BEHIND = "SELECT id, renewals FROM tenants_configreader WHERE seen < %s"
FORGET = "DELETE FROM tenants_configreader WHERE id = %s AND renewals = %s AND seen < %s"


def wait_for_readers(value: int) -> None:
    """No process answers from a memory older than the committed change ``value`` any more. Never raises.

    Call it after the commit. Most often two queries and some milliseconds. A process that says nothing for two
    seconds holds no lease any more; its row is removed, so that only one caller waits for it.
    """
    began = boot_seconds()
    try:
        _wait(value)
    except Error:
        # Nobody can be asked, so the time decides: leases that were given before the commit are over then.
        time.sleep(max(0.0, began + SILENCE_SECONDS - boot_seconds()))


def _wait(value: int) -> None:
    silent = _behind(value)
    began, pause = boot_seconds(), FIRST_PAUSE
    while silent:
        left = began + SILENCE_SECONDS - boot_seconds()
        if left <= 0:
            _forget(silent, value)
            return
        time.sleep(min(pause, left))
        pause = min(2 * pause, LONGEST_PAUSE)
        behind = _behind(value)
        # Those that came or stirred since the first look read the counter after the commit: they know, or will not
        # trust what they read before for longer than this wait.
        silent = {reader: renewals for reader, renewals in silent.items() if reader in behind}


def _behind(value: int) -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(BEHIND, [value])
        return dict(cursor.fetchall())


def _forget(silent: dict[int, int], value: int) -> None:
    with connection.cursor() as cursor:
        for reader, renewals in silent.items():
            cursor.execute(FORGET, [reader, renewals, value])
