"""Events of the demo: they come through the studio's own door, with mistakes that its pages show."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from telemetry.models import EventTally, PrivacyFinding, StoredEvent, ViolationRecord
from telemetry.services.demo.traffic import play_days
from tenants.context import ALL, tenant_context
from tests.telemetry.factories import make_installation, make_published

pytestmark = pytest.mark.django_db

NOW = datetime.now(UTC)


def test_days_of_events_are_in_the_balance_and_hidden_as_the_spec_says() -> None:
    make_published()
    installation = make_installation()

    played = play_days(installation, now=NOW, seed=1)

    with tenant_context(ALL):
        tallies = list(EventTally.objects.values_list("received", "stored", "rejected", "minute"))
        stored = StoredEvent.objects.count()
        assert "user-" not in str(list(StoredEvent.objects.values_list("properties", "context")))
        kinds = set(ViolationRecord.objects.values_list("code", flat=True))
    assert sum(received for received, *_ in tallies) == played > 500
    assert sum(kept for _, kept, *_ in tallies) == stored
    assert (NOW - min(minute for *_, minute in tallies)).days >= 2
    assert {"undeclared_property", "missing_required", "wrong_type"} <= kinds


@pytest.mark.parametrize("hours", [0, 7, 13])
def test_the_privacy_inbox_has_something_to_decide_at_any_time_of_day(hours: int) -> None:
    make_published()
    installation = make_installation()

    play_days(installation, now=NOW - timedelta(hours=hours), seed=1)

    with tenant_context(ALL):
        found = PrivacyFinding.objects.values_list("path", "detector")
        assert ("properties.contact", "email") in set(found)


def test_the_command_sends_events_for_a_while(capsys: pytest.CaptureFixture[str]) -> None:
    make_published()
    make_installation()

    call_command("simulate", "--seconds", "1", "--per-second", "40")

    with tenant_context(ALL):
        assert sum(EventTally.objects.values_list("received", flat=True)) == 40
    assert "stored" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--per-second", "0"], "--per-second must be 1 to 500"),
        (["--installation", str(uuid4())], "there is no such installation"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("simulate", *arguments)
