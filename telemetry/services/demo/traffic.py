"""Events of the demo workspace: some days of people at work, with the mistakes that apps make."""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

from telemetry.core.enums import EventSource
from telemetry.core.events import Context, Envelope
from telemetry.services.ingest.incoming import Incoming
from telemetry.services.ingest.service import ingest_batch
from telemetry.services.partitions import ensure_partitions
from tenants.models import Installation

__all__ = ["make_events", "play_days"]

WORKFLOW_STEP: Final = "sigil.telemetry.workflow_step"
DAYS: Final = 3
PEOPLE: Final = 40
HALF_HOUR: Final = timedelta(minutes=30)
WORKFLOWS: Final = {"onboarding": ("verify_email", "profile", "tour"), "deploy": ("build", "test", "release")}
# Slow events of the last quarter of an hour: more than the ten that the seed's rule needs in each five minutes.
SLOW: Final = 60
# One event in so many has a mistake: undeclared, of the wrong type, with an address in its text, or incomplete. Half of
# them are incomplete, so that there is something to propose at any time of day.
MISTAKES: Final = 8


def play_days(installation: Installation, *, now: datetime, seed: int) -> int:
    """The installation has received ``DAYS`` of events that end now; how many. The same for the same seed and instant.

    They come through ``ingest_batch``, as those of apps do, each at the end of the half hour in which it happened.
    """
    ensure_partitions((now - timedelta(days=DAYS)).date())
    played = 0
    for received_at, events in _half_hours(now, Random(seed)):  # noqa: S311 - a demo's data
        ingest_batch(installation=installation, events=events, received_at=received_at)
        played += len(events)
    return played


def make_events(now: datetime, count: int, random: Random) -> list[Incoming]:
    """So many events that happened within the last second."""
    return [_event(now - timedelta(milliseconds=random.randrange(1000)), random) for _ in range(count)]


def _half_hours(now: datetime, random: Random) -> Iterator[tuple[datetime, list[Incoming]]]:
    """When each half hour ends, and its events: more by day than by night, and the last quarter of an hour slow."""
    for number in range(DAYS * 48, 0, -1):
        start = now - number * HALF_HOUR
        busy = 0.5 + 0.5 * math.sin((start.hour - 8) / 24 * 2 * math.pi)
        count = 1 + round(busy * 7) + random.randrange(2)
        yield (
            start + HALF_HOUR,
            [_event(start + timedelta(seconds=random.randrange(1800)), random) for _ in range(count)],
        )
    yield now, [_event(now - timedelta(seconds=random.randrange(60, 900)), random, slowness=4.0) for _ in range(SLOW)]


def _event(at: datetime, random: Random, *, slowness: float = 1.0) -> Incoming:
    workflow = random.choice(list(WORKFLOWS))
    person = f"user-{random.randrange(PEOPLE)}"
    properties: dict[str, Any] = {
        "workflow": workflow,
        "step": random.choice(WORKFLOWS[workflow]),
        "durationMs": round(random.lognormvariate(6.0, 0.5) * slowness),
        "userId": person,
    }
    if random.randrange(MISTAKES) == 0:
        _make_mistake(properties, random)
    envelope = Envelope(
        # Not of a tracker, whose ids hold the present: these are filed under the day that the event claims.
        id=str(UUID(int=random.getrandbits(128), version=4)),
        name=WORKFLOW_STEP,
        occurred_at=at,
        properties=properties,
        context=Context(user_id=person, session_id=f"{person}-{at:%Y%m%d}", channel="web"),
    )
    return Incoming(envelope=envelope, source=EventSource.BATCH, app_version=random.choice(("2.4.0", "2.4.1")))


def _make_mistake(properties: dict[str, Any], random: Random) -> None:
    match random.randrange(6):
        case 0:
            properties["contact"] = f"person{random.randrange(PEOPLE)}@example.com"
        case 1:
            properties["durationMs"] = "fast"
        case 2:
            properties["step"] = f"mail to person{random.randrange(PEOPLE)}@example.com"
        case _:
            del properties["step"]
