"""What stored events say in numbers: which versions of an app sent them, and by which rate they were kept."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, F, Max

from telemetry.models import StoredEvent

__all__ = ["kept_by_probability", "longest_days", "stored_app_versions"]

# The newest events tell which versions of an app are about.
_MOST_ROWS: Final = 5_000


def stored_app_versions(installation_id: int, name: str) -> set[str]:
    """The versions of the app that sent the last events of this name; one query."""
    newest = StoredEvent.objects.filter(installation_id=installation_id, name=name).order_by("-received_at")
    return {version for version in newest.values_list("app_version", flat=True)[:_MOST_ROWS] if version}


def kept_by_probability(name: str, version: int, since: datetime) -> dict[float, int]:
    """How many of the events received since then are stored, by the probability with which each was kept; one query.

    In all tenants of the context together.
    """
    rows = StoredEvent.objects.filter(name=name, version=version, received_at__gte=since).order_by()
    return dict(rows.values_list("inclusion_probability").annotate(Count("id")))


def longest_days(name: str, version: int, since: datetime, *, installation_id: int | None = None) -> float | None:
    """The longest time, in days, for which an event received since then is kept; ``None`` without any. One query."""
    rows = StoredEvent.objects.filter(name=name, version=version, received_at__gte=since).order_by()
    if installation_id is not None:
        rows = rows.filter(installation_id=installation_id)
    longest = rows.aggregate(longest=Max(F("expires_at") - F("received_at")))["longest"]
    return None if longest is None else longest / timedelta(days=1)
