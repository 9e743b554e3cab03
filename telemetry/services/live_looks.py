"""Looking at an installation's events as they arrive: what is new since the last look, from the stream or the store."""

from datetime import datetime
from typing import Final, NamedTuple

from telemetry.core.enums import EventOutcome
from telemetry.core.errors import Unavailable
from telemetry.services.live import LiveLine, read_line, stored_lines
from telemetry.stores.live import START, live_stream
from tenants.models import Installation

__all__ = ["MOST_LINES", "LiveLook", "Wanted", "first_look", "next_look"]

# Lines of one look: more than a person reads at once.
MOST_LINES: Final = 100


class Wanted(NamedTuple):
    """Which lines are asked for: of one event or all, with one outcome or all."""

    event: str = ""
    outcome: EventOutcome | None = None

    def has(self, line: LiveLine) -> bool:
        """Whether the line is among them."""
        return self.event in ("", line.name) and self.outcome in (None, line.outcome)


class LiveLook(NamedTuple):
    """What is seen at one look, the newest first; ``is_live`` is false while the stream does not answer.

    ``cursor`` is where the next look begins. ``skipped`` counts lines that came in such a number that older ones are
    left out.
    """

    lines: list[LiveLine]
    cursor: str
    is_live: bool
    skipped: int = 0


def first_look(installation: Installation, wanted: Wanted, *, now: datetime) -> LiveLook:
    """The newest lines, and before them what was stored while nobody watched; up to three queries.

    From here on the installation is watched for some seconds.
    """
    look = _look(installation, wanted, START)
    seen = {line.event_id for line in look.lines}
    stored = [line for line in _stored(installation, wanted, now=now) if line.event_id not in seen]
    lines = sorted([*look.lines, *stored], key=lambda line: line.received_at, reverse=True)
    return look._replace(lines=lines[:MOST_LINES])


def next_look(
    installation: Installation, wanted: Wanted, *, after: str, since: datetime | None, now: datetime
) -> LiveLook:
    """What came after the cursor; while the stream does not answer, what was stored after ``since``, if that is given.

    The installation stays watched for some seconds. No query while the stream answers, otherwise one.
    """
    look = _look(installation, wanted, after)
    if look.is_live or since is None:
        return look
    return look._replace(lines=_stored(installation, wanted, now=now, since=since))


def _look(installation: Installation, wanted: Wanted, after: str) -> LiveLook:
    try:
        part = live_stream().read(installation.public_id, after)
    except Unavailable:
        return LiveLook([], after, is_live=False)
    lines = [line for line in map(read_line, reversed(part.lines)) if line is not None and wanted.has(line)]
    skipped = max(0, len(lines) - MOST_LINES)
    return LiveLook(lines[:MOST_LINES], part.cursor, is_live=True, skipped=skipped)


def _stored(
    installation: Installation, wanted: Wanted, *, now: datetime, since: datetime | None = None
) -> list[LiveLine]:
    """What was stored lately; of other outcomes nothing is stored."""
    if wanted.outcome not in (None, EventOutcome.STORED):
        return []
    return stored_lines(installation, now=now, name=wanted.event or None, since=since, limit=MOST_LINES)
