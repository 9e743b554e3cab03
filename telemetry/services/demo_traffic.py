"""Events of the demo workspace: some days of people at work, with the mistakes that apps make."""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from telemetry.core.enums import EventSource
from telemetry.core.events import Context, Envelope
from telemetry.sdk.identifiers import new_event_id
from telemetry.services.ingest.incoming import Incoming
from telemetry.services.ingest.service import ingest_batch
from tenants.models import Installation

__all__ = ["make_events", "play_days"]

WORKFLOW_STEP: Final = "sigil.telemetry.workflow_step"
DAYS: Final = 3
PEOPLE: Final = 40
BATCH: Final = 500
WORKFLOWS: Final = {"onboarding": ("verify_email", "profile", "tour"), "deploy": ("build", "test", "release")}
# One event in so many has a mistake: undeclared, incomplete, of the wrong type, or with an address in its text.
MISTAKES: Final = 12


def play_days(installation: Installation, *, now: datetime, seed: int) -> int:
    """The installation has received ``DAYS`` of events that end now; how many. The same for the same seed and instant.

    They come through ``ingest_batch``, as those of apps do.
    """
    events = list(_days(now, Random(seed)))  # noqa: S311 - a demo's data
    for first in range(0, len(events), BATCH):
        ingest_batch(installation=installation, events=events[first : first + BATCH], received_at=now)
    return len(events)


def make_events(now: datetime, count: int, random: Random) -> list[Incoming]:
    """So many events that happened within the last second."""
    return [_event(now - timedelta(milliseconds=random.randrange(1000)), random) for _ in range(count)]


def _days(now: datetime, random: Random) -> Iterator[Incoming]:
    """More by day than by night, and a slow quarter of an hour at the end."""
    for hours in range(DAYS * 24, 0, -1):
        start = now - timedelta(hours=hours)
        busy = 0.5 + 0.5 * math.sin((start.hour - 8) / 24 * 2 * math.pi)
        for _ in range(2 + round(busy * 14) + random.randrange(3)):
            yield _event(start + timedelta(seconds=random.randrange(3600)), random)
    for _ in range(20):
        yield _event(now - timedelta(seconds=random.randrange(60, 900)), random, slowness=4.0)


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
        id=new_event_id(),
        name=WORKFLOW_STEP,
        occurred_at=at,
        properties=properties,
        context=Context(user_id=person, session_id=f"{person}-{at:%Y%m%d}", channel="web"),
    )
    return Incoming(envelope=envelope, source=EventSource.BATCH, app_version=random.choice(("2.4.0", "2.4.1")))


def _make_mistake(properties: dict[str, Any], random: Random) -> None:
    match random.randrange(4):
        case 0:
            properties["contact"] = f"person{random.randrange(PEOPLE)}@example.com"
        case 1:
            del properties["step"]
        case 2:
            properties["durationMs"] = "fast"
        case _:
            properties["step"] = f"mail to person{random.randrange(PEOPLE)}@example.com"
