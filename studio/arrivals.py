"""What follows when events were taken in: workers are told, and the numbers for operators go up."""

from collections.abc import Iterable, Mapping

from studio.metrics.process import count_ingested
from studio.wakeups import wake_providers
from telemetry.core.enums import EventOutcome

__all__ = ["events_arrived"]


def events_arrived(entry: str, outcomes: Mapping[EventOutcome, int], provider_ids: Iterable[int]) -> None:
    """Workers know that these providers are owed something, and the events are counted. Call it after the commit.

    ``entry`` says by which way they came. Raises nothing.
    """
    wake_providers(provider_ids)
    count_ingested(entry, outcomes)
