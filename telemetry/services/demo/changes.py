"""What is under way in the demo workspace: a change that starts and ends by itself, and an exception from the floor."""

from datetime import timedelta

from django.utils import timezone

from telemetry.core.config import FloorException
from telemetry.core.enums import FloorLimit
from telemetry.core.override_editing import BulkEdit
from telemetry.services.overrides import schedule_override
from telemetry.services.toggles import EventFilter, edit_in_bulk
from tenants.actors import SYSTEM
from tenants.models import Installation
from tenants.selectors import published_config
from tenants.services.floor_exceptions import grant_exception

__all__ = ["except_from_floor", "plan_for_a_while"]


def plan_for_a_while(installation: Installation) -> None:
    """A tenth of the events is kept for three days from next week on, and then what holds now."""
    now = timezone.now()
    live = published_config(installation)
    draft = edit_in_bulk(
        actor=SYSTEM,
        installation=installation,
        chosen=EventFilter(),
        edit=BulkEdit(sampling_rate=0.1),
        expected_checksum=None,
    ).draft
    schedule_override(
        actor=SYSTEM,
        config=draft,
        change_summary="Load test: the extra events say nothing.",
        expected_checksum=draft.checksum,
        expected_published_number=None if live is None else live.number,
        starts_at=now + timedelta(days=7),
        ends_at=now + timedelta(days=10),
    )


def except_from_floor(installation: Installation) -> None:
    """For two weeks, the installation may keep less than the floor asks for."""
    grant_exception(
        actor=SYSTEM,
        tenant=installation.tenant,
        app=installation.app,
        installation=installation,
        exception=FloorException(limit=FloorLimit.MINIMUM_RATE, sampling_rate=0.01),
        reason="A migration sends every event twice until it is over.",
        ends_at=timezone.now() + timedelta(days=14),
    )
