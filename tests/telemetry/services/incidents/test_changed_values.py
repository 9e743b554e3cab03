"""What changed with an incident: from tallies and stored events, and never what is hidden."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from telemetry.core.anomaly.changed_shares import ChangedShare
from telemetry.core.enums import PrivacyLevel
from telemetry.core.spec import Sampling
from telemetry.models import Incident, SpecRecord
from telemetry.services.incidents.changed_values import changed_values
from telemetry.services.publishing import publish_version
from telemetry.services.specs import save_event
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.core.builders import make_event, make_property, make_spec
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published

pytestmark = pytest.mark.django_db

NOW = datetime.now(UTC)
MIDDLE = NOW - timedelta(minutes=10)
SINCE = NOW - timedelta(minutes=40)
SPEC = "sigil.telemetry"


def publish(**fields: Any) -> Installation:
    properties = {
        "plan": make_property(allowed_values=("free", "pro"), pii=False),
        "region": make_property(pii=False),
        "email": make_property(pii=True, redact=True),
        "attempt": make_property("number"),
    }
    make_published(make_spec(make_event(properties=properties, **fields), name=SPEC))
    return make_installation()


def play(installation: Installation, at: datetime, count: int, **properties: Any) -> None:
    events = [make_incoming(name="step", occurred_at=at, properties=properties) for _ in range(count)]
    for start in range(0, count, 500):
        ingest(installation, *events[start : start + 500], received_at=at)


def incident(installation: Installation) -> Incident:
    with tenant_context(ALL):
        return Incident.objects.create(
            tenant_id=installation.tenant_id,
            installation=installation,
            event_name="step",
            event_version=1,
            rule="watched",
            rule_words="too many",
            minutes=5,
            side="high",
            first_window=MIDDLE,
            last_breach_at=NOW,
            peak_words="many",
            opened_at=NOW,
        )


def changed(installation: Installation) -> dict[tuple[str, str | None], tuple[float, float]]:
    with tenant_context(ALL):
        found: list[ChangedShare] = changed_values(incident(installation), SINCE)
    return {(each.name, each.value): (round(each.before, 2), round(each.since, 2)) for each in found}


BEFORE, DURING = SINCE + timedelta(minutes=5), MIDDLE + timedelta(minutes=2)


def test_values_that_came_more_often_are_named_whether_they_are_tallied_or_only_stored() -> None:
    installation = publish()
    play(installation, BEFORE, 100, plan="free", region="eu", attempt=1)
    play(installation, DURING, 40, plan="pro", region="eu", attempt=1)
    play(installation, DURING, 60, plan="free", region="us", attempt=1)

    assert changed(installation) == {
        ("region", "eu"): (1.0, 0.4),
        ("region", "us"): (0.0, 0.6),
        ("plan", "free"): (1.0, 0.6),
        ("plan", "pro"): (0.0, 0.4),
    }


def test_what_is_tallied_is_told_of_events_that_were_not_kept() -> None:
    installation = publish(sampling=Sampling(rate=0.0))
    play(installation, BEFORE, 100, plan="free", region="eu")
    play(installation, DURING, 100, plan="pro", region="us")

    assert changed(installation) == {("plan", "free"): (1.0, 0.0), ("plan", "pro"): (0.0, 1.0)}


def test_what_went_missing_is_told() -> None:
    installation = publish()
    play(installation, BEFORE, 50, plan="free", region="eu")
    play(installation, DURING, 50, region="eu")

    assert changed(installation)["plan", None] == (0.0, 1.0)


def test_a_release_is_told() -> None:
    installation = publish()
    for at, version in ((BEFORE, "2.4.0"), (DURING, "2.5.0")):
        events = [make_incoming(name="step", occurred_at=at, properties={"region": "eu"}) for _ in range(50)]
        ingest(installation, *(msgspec.structs.replace(each, app_version=version) for each in events), received_at=at)

    assert changed(installation) == {("app version", "2.4.0"): (1.0, 0.0), ("app version", "2.5.0"): (0.0, 1.0)}


@pytest.mark.parametrize("level", list(PrivacyLevel))
def test_what_is_hidden_is_never_compared_at_any_level(level: PrivacyLevel) -> None:
    installation = publish(privacy=level)
    play(installation, BEFORE, 50, email="alice@example.com", attempt=1, region="canary before")
    play(installation, DURING, 50, email="bob@example.com", attempt=2, region="canary since")

    found = changed(installation)

    assert not any(name == "email" or "@" in (value or "") for name, value in found)
    if level is PrivacyLevel.SENSITIVE:
        assert found == {}


def test_what_was_stored_openly_and_is_hidden_now_is_not_shown() -> None:
    installation = publish()
    play(installation, BEFORE, 50, region="eu")
    play(installation, DURING, 50, region="us")
    properties = {
        "plan": make_property(allowed_values=("free", "pro"), pii=False),
        "region": make_property(pii=True, redact=True),
        "email": make_property(pii=True, redact=True),
        "attempt": make_property("number"),
    }
    with tenant_context(ALL):
        save_event(actor=SYSTEM, spec_name=SPEC, event=make_event(properties=properties))
        revision = SpecRecord.objects.get(name=SPEC).draft_revision
        publish_version(actor=SYSTEM, name=SPEC, expected_revision=revision, change_summary="Hide the region")

    assert changed(installation) == {}


def test_nothing_changed_and_no_config_are_no_news() -> None:
    installation = publish()
    play(installation, BEFORE, 50, region="eu")
    play(installation, DURING, 50, region="eu")

    assert changed(installation) == {}


def test_the_cost_does_not_grow_with_events(django_assert_max_num_queries: Any) -> None:
    installation = publish()
    play(installation, BEFORE, 300, region="eu")
    play(installation, DURING, 300, region="us")
    row = incident(installation)

    with tenant_context(ALL), django_assert_max_num_queries(8):
        assert changed_values(row, SINCE)
