"""Batches on their way in: what is stored, counted and refused."""

from datetime import UTC, datetime, timedelta

import pytest

from telemetry.core.config import EventOverride, TenantOverride
from telemetry.core.enums import EventOutcome, ViolationCode
from telemetry.core.events import Context
from telemetry.models import EventTally, StoredEvent
from telemetry.services.ingest.incoming import Incoming
from tenants.context import ALL, tenant_context
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published

pytestmark = pytest.mark.django_db

STEP = "sigil.telemetry.workflow_step"


def words(result: object) -> list[str]:
    return [item.outcome.value for item in result.items]  # type: ignore[attr-defined]


def test_a_valid_event_is_stored_redacted_with_subjects_as_pseudonyms() -> None:
    make_published()
    installation = make_installation()
    incoming = make_incoming(
        properties={"workflow": "deploy", "step": "build", "durationMs": 120, "userId": "alice@example.com"},
        context=Context(user_id="alice@example.com", channel="web"),
    )

    result = ingest(installation, incoming)

    assert words(result) == ["stored"]
    with tenant_context(ALL):
        stored = StoredEvent.objects.get()
    assert incoming.envelope is not None
    assert str(stored.id) == incoming.envelope.id
    assert stored.properties == {"workflow": "deploy", "step": "build", "durationMs": 120, "userId": "REDACTED"}
    assert stored.context["userId"].startswith("p1_")
    assert "alice" not in str(stored.context)
    assert stored.expires_at - stored.received_at == timedelta(days=30)
    assert stored.retention_class == 30
    assert stored.inclusion_probability == 1.0


def test_every_received_event_is_in_exactly_one_outcome_of_the_tally() -> None:
    make_published()
    installation = make_installation()
    again = make_incoming()

    result = ingest(
        installation,
        again,
        again,
        make_incoming(name="made_up"),
        make_incoming(properties={"step": "build"}),
        Incoming(envelope=None, source=again.source),
    )

    assert words(result) == ["stored", "duplicate", "rejected", "rejected", "rejected"]
    with tenant_context(ALL):
        rows = {
            (each.name, each.version): (each.received, each.stored, each.rejected, each.duplicate)
            for each in EventTally.objects.all()
        }
    assert rows == {(STEP, 1): (3, 1, 1, 1), ("", 0): (2, 0, 2, 0)}


def test_a_batch_that_is_sent_again_has_no_effect_again() -> None:
    make_published()
    installation = make_installation()
    events = [make_incoming() for _ in range(3)]
    foreign = make_incoming(event_id="order-1")
    ingest(installation, *events, foreign)

    result = ingest(installation, *events, foreign)

    assert words(result) == ["duplicate"] * 4
    with tenant_context(ALL):
        assert StoredEvent.objects.count() == 4


def test_an_event_that_is_switched_off_or_sampled_out_is_counted_and_not_stored() -> None:
    make_published()
    off = make_installation("off", override=TenantOverride(events={STEP: EventOverride(enabled=False)}))
    rare = make_installation("rare", override=TenantOverride(events={STEP: EventOverride(sampling_rate=0.0)}))

    assert words(ingest(off, make_incoming())) == ["disabled"]
    assert words(ingest(rare, make_incoming())) == ["sampled_out"]
    with tenant_context(ALL):
        assert not StoredEvent.objects.exists()


def test_the_same_id_of_another_tenant_is_another_event() -> None:
    make_published()
    incoming = make_incoming()

    results = [ingest(make_installation(slug), incoming) for slug in ("acme", "globex")]

    assert [words(result) for result in results] == [["stored"], ["stored"]]


def test_an_id_from_before_the_ledgers_memory_is_refused() -> None:
    make_published()
    installation = make_installation()
    old = make_incoming(event_id="01900000-0000-7000-8000-000000000000")

    result = ingest(installation, old)

    assert result.items[0].outcome is EventOutcome.REJECTED
    assert [violation.code for violation in result.items[0].violations] == [ViolationCode.OUTSIDE_WINDOW]


def test_without_a_published_spec_every_event_is_unknown() -> None:
    installation = make_installation()

    result = ingest(installation, make_incoming())

    assert words(result) == ["rejected"]
    assert result.items[0].violations[0].code is ViolationCode.UNKNOWN_EVENT


def test_an_event_from_the_future_happened_when_it_was_received() -> None:
    make_published()
    installation = make_installation()
    now = datetime.now(UTC)

    ingest(installation, make_incoming(occurred_at=now + timedelta(days=400)), received_at=now)

    with tenant_context(ALL):
        assert StoredEvent.objects.get().occurred_at == now
        assert EventTally.objects.get().skewed == 1
