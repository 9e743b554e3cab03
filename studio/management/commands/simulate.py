"""``manage.py simulate``: events that keep coming, to watch the studio at work."""

import time
from random import Random
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from telemetry.services.demo.traffic import WORKFLOW_STEP, make_events
from telemetry.services.ingest.service import ingest_batch
from tenants.context import ALL, tenant_context
from tenants.models import Installation


class Command(BaseCommand):
    """Sends the demo's event, mistakes included, through the service that the API uses."""

    help = f"Sends {WORKFLOW_STEP} events for a while, as an app of the demo workspace would."

    def add_arguments(self, parser: CommandParser) -> None:
        """For whom, how long and how many."""
        parser.add_argument("--installation", type=UUID, help="its public id; without it, the first installation")
        parser.add_argument("--seconds", type=int, default=60, help="how long events come; 60 by default")
        parser.add_argument("--per-second", type=int, default=5, help="how many a second, 1 to 500; 5 by default")

    def handle(self, *args: Any, installation: UUID | None, seconds: int, per_second: int, **options: Any) -> None:
        """Ends when the time is up; says what became of the events."""
        if not 1 <= per_second <= 500 or seconds < 1:
            raise CommandError("--per-second must be 1 to 500, and --seconds at least 1")
        chosen = _installation(installation)
        random, outcomes = Random(), dict[str, int]()  # noqa: S311 - made-up events
        for _ in range(seconds):
            now = timezone.now()
            result = ingest_batch(installation=chosen, events=make_events(now, per_second, random), received_at=now)
            for item in result.items:
                outcomes[item.outcome.value] = outcomes.get(item.outcome.value, 0) + 1
            time.sleep(1)
        words = ", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in sorted(outcomes.items()))
        self.stdout.write(f"{chosen}: {words}.")


def _installation(public_id: UUID | None) -> Installation:
    with tenant_context(ALL):
        rows = Installation.objects.select_related("tenant", "app").order_by("id")
        found = rows.first() if public_id is None else rows.filter(public_id=public_id).first()
    if found is None:
        raise CommandError("there is no such installation; `manage.py load_demo` makes some in an empty studio")
    return found
