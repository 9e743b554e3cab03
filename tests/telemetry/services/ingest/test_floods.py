"""Names and values that clients make up without end: what is kept stays small, and every event is counted."""

from typing import Any

import pytest
from django.db.models import Sum
from django.db.models.functions import Length

from telemetry.core.events import Context
from telemetry.models import EventTally, PrivacyFinding, ViolationDay, ViolationRecord
from telemetry.services import privacy_findings, violations
from telemetry.services.tallies import merge_tallies
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published

pytestmark = pytest.mark.django_db

STEP = {"workflow": "deploy", "step": "build"}


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


def flood(installation: Installation, batches: int, make: Any) -> None:
    for number in range(batches):
        ingest(installation, *(make(f"{number}x{place}") for place in range(500)))


def test_names_of_events_without_end_fill_neither_tallies_nor_violations(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(violations, "MOST_GROUPS", 700)

    flood(installation, 4, lambda word: make_incoming(name=f"made_up_{word}"))

    with tenant_context(ALL):
        assert EventTally.objects.values("name", "version").distinct().count() == 1
        assert EventTally.objects.aggregate(Sum("rejected"))["rejected__sum"] == 2_000
        assert ViolationRecord.objects.count() <= 701
        # Those that found no room are counted together.
        assert ViolationDay.objects.aggregate(Sum("count"))["count__sum"] == 2_000


def test_names_of_properties_without_end_fill_neither_violations_nor_findings(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(violations, "MOST_GROUPS", 700)
    monkeypatch.setattr(privacy_findings, "MOST_FINDINGS", 300)

    flood(installation, 4, lambda word: make_incoming(properties={**STEP, f"email_{word}": "alice@example.com"}))

    with tenant_context(ALL):
        assert EventTally.objects.aggregate(Sum("received"))["received__sum"] == 2_000
        assert ViolationRecord.objects.count() <= 701
        assert 0 < PrivacyFinding.objects.count() <= 301


def test_values_and_people_without_end_make_no_larger_sketches(installation: Installation) -> None:
    def event(word: str) -> Any:
        number = float(word.replace("x", "."))
        return make_incoming(properties={**STEP, "durationMs": number}, context=Context(user_id=word))

    flood(installation, 2, event)
    merge_tallies()
    few = size_of_tallies()
    flood(installation, 8, event)
    merge_tallies()

    with tenant_context(ALL):
        assert EventTally.objects.aggregate(Sum("received"))["received__sum"] == 5_000
    assert size_of_tallies() < 4 * few


def size_of_tallies() -> int:
    """Bytes of the sketches per row."""
    with tenant_context(ALL):
        rows = EventTally.objects.count()
        total = EventTally.objects.aggregate(size=Sum(Length("detail")))["size"]
    return int(total / rows)
