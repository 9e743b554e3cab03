"""Batches and replays at the same time: nothing blocks for good, nothing is lost or counted twice."""

from functools import partial

import pytest
from django.db.models import Sum

from telemetry.core.enums import EventOutcome
from telemetry.detection.inspector import Inspector
from telemetry.models import EventTally, PrivacyFinding, StoredEvent, ViolationDay, ViolationRecord
from telemetry.selectors.quarantine import HeldGroup
from telemetry.services.ingest.incoming import Incoming
from telemetry.services.quarantine.replaying import Replay, replay
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published
from tests.telemetry.services.quarantine.held import STEP, group, held, make_holding_spec, mending
from tests.tenants.together import run_together

pytestmark = pytest.mark.django_db(transaction=True)

RENAME = mending({"step": "rename", "property": "stp", "to": "step"})


def batch(names: list[str]) -> list[Incoming]:
    """An event per name, each with an undeclared property of that name that holds an address."""
    return [make_incoming(properties={"step": "a", name: "alice@example.com"}) for name in names]


def test_batches_that_touch_the_same_groups_in_any_order_all_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.services.privacy_findings._inspector", Inspector(looks_per_minute=1_000))
    make_published(make_holding_spec())
    installation = make_installation()
    names = [f"extra_{letter}" for letter in "abcdefghij"]
    rounds = [batch(names if number % 2 else names[::-1]) for number in range(8)]

    run_together(*(partial(ingest, installation, *events) for events in rounds))

    with tenant_context(ALL):
        violations = dict(ViolationRecord.objects.values_list("path", "count"))
        days = ViolationDay.objects.aggregate(all=Sum("count"))["all"]
        findings = dict(PrivacyFinding.objects.values_list("path", "found"))
    assert violations == {f"properties.{name}": 8 for name in names}
    assert days == 80
    assert findings == {f"properties.{name}": 8 for name in names}


def replay_group(wanted: HeldGroup) -> Replay:
    with tenant_context(ALL):
        return replay(actor=SYSTEM, group=wanted, mending=RENAME)


def test_of_several_who_replay_a_group_each_event_is_taken_in_by_one() -> None:
    make_published(make_holding_spec())
    installation = make_installation()
    ingest(installation, *(make_incoming(properties={"stp": "build"}) for _ in range(40)))
    wanted = group()

    results = run_together(*(partial(replay_group, wanted) for _ in range(4)))

    stored = sum(result.outcomes[EventOutcome.STORED] for result in results if isinstance(result, Replay))
    with tenant_context(ALL):
        assert StoredEvent.objects.count() == stored == 40
        tallies = EventTally.objects.filter(name=STEP).aggregate(stored=Sum("stored"), received=Sum("received"))
    assert tallies == {"stored": 40, "received": 80}
    assert held() == []
