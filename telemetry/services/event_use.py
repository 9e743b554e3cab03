"""Noting who reads stored events, so that nothing is kept for readers that there are not."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from tenants.context import ALL, tenant_context
from tenants.models import Installation

__all__ = ["forget_old_uses", "note_use"]

# A little more than the quarter that the Regenerator looks back on.
KEPT_DAYS: Final = 100

ADD: Final = """
INSERT INTO telemetry_eventuse AS known
    (tenant_id, installation_id, event_name, event_version, day, reads, oldest_seconds)
VALUES (%s, %s, %s, %s, %s, 1, %s)
ON CONFLICT (installation_id, event_name, event_version, day) DO UPDATE SET
    reads = known.reads + 1, oldest_seconds = greatest(known.oldest_seconds, excluded.oldest_seconds)
"""
FORGET: Final = "DELETE FROM telemetry_eventuse WHERE day < %s"


def note_use(installation: Installation, oldest: Mapping[tuple[str, int], timedelta], *, now: datetime) -> None:
    """Each of these events, by name and version, was read once more, and back to this age; one round trip."""
    rows = [
        (
            installation.tenant_id,
            installation.pk,
            name,
            version,
            now.date(),
            max(0, round(age.total_seconds())),
        )
        # In one order, so that two readers wait for each other.
        for (name, version), age in sorted(oldest.items())
    ]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(ADD, rows)


def forget_old_uses(*, now: datetime) -> None:
    """What was read more than a hundred days ago is forgotten; running it twice changes nothing more."""
    with tenant_context(ALL), connection.cursor() as cursor:
        cursor.execute(FORGET, [now.date() - timedelta(days=KEPT_DAYS)])
