"""Retention in the demo workspace: events whose time is over, the run that removed them, and a hold that keeps some."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Final

from telemetry.services.demo.traffic import WORKFLOW_STEP, make_events
from telemetry.services.holds import place_hold
from telemetry.services.ingest.service import ingest_batch
from telemetry.services.partitions import ensure_partitions
from telemetry.services.purging.service import purge
from tenants.actors import SYSTEM
from tenants.models import Installation

__all__ = ["let_old_events_go"]

# Globex keeps a week and Acme two: of these days Globex keeps none, and Acme all.
DAYS_AGO: Final = (10, 9, 8)
EVENTS: Final = 40


def let_old_events_go(installations: Sequence[Installation], *, now: datetime) -> None:
    """Some events came longer ago than a week, what is past its days has been purged, and a hold keeps a day of Acme's.

    The first of the installations is Acme's. In the context of all tenants.
    """
    for days in DAYS_AGO:
        received_at = now - timedelta(days=days)
        ensure_partitions(received_at.date())
        for number, installation in enumerate(installations):
            events = make_events(received_at, EVENTS, Random(days * 10 + number))  # noqa: S311 - a demo's data
            ingest_batch(installation=installation, events=events, received_at=received_at)
    acme = installations[0]
    place_hold(
        actor=SYSTEM,
        tenant=acme.tenant,
        installation=acme,
        event_name=WORKFLOW_STEP,
        starts_at=now - timedelta(days=9, hours=12),
        ends_at=now - timedelta(days=8, hours=12),
        reason="Case 2026-118: the outage of that day",
    )
    purge()
