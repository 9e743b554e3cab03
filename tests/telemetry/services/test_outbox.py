"""What a batch owes to providers: a row in the same transaction, for kept events that the provider may have."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from pytest_django import DjangoAssertNumQueries

from telemetry.core.config import AppBlueprint, SpecPointer
from telemetry.core.enums import PrivacyLevel, ProviderType
from telemetry.core.spec import ProviderDefinition, TelemetryDefaults
from telemetry.models import DeliveryRecord, ProviderKind, StoredEvent
from telemetry.services import outbox
from telemetry.services.ingest.processed import BatchResult
from telemetry.services.providers import switch_provider
from telemetry.stores.arrays import execute
from tenants.actors import SYSTEM
from tenants.config_lease import PROCESS_LEASE
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.core.builders import make_event, make_property, make_spec
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_provider, make_published
from tests.tenants.leases import held, wait_until

pytestmark = pytest.mark.django_db


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


def owed() -> list[DeliveryRecord]:
    with tenant_context(ALL):
        return list(DeliveryRecord.objects.order_by("id"))


def test_a_provider_is_owed_the_kept_events_of_a_batch_and_no_others(installation: Installation) -> None:
    provider = make_provider(installation)
    kept, again = make_incoming(), make_incoming()

    result = ingest(installation, kept, again, again, make_incoming(name="made_up"))

    [row] = owed()
    assert kept.envelope is not None
    assert again.envelope is not None
    assert row.event_ids == [UUID(kept.envelope.id), UUID(again.envelope.id)]
    assert (row.provider_id, row.count, row.state, row.names) == (
        provider.pk,
        2,
        "waiting",
        ["sigil.telemetry.workflow_step"],
    )
    assert (row.tenant_id, row.installation_id) == (installation.tenant_id, installation.pk)
    assert result.provider_ids == (provider.pk,)


def test_a_batch_that_is_sent_again_owes_nothing_more(installation: Installation) -> None:
    make_provider(installation)
    event = make_incoming()
    ingest(installation, event)

    assert ingest(installation, event).provider_ids == ()

    assert len(owed()) == 1


def test_what_is_owed_is_rolled_back_with_the_batch(installation: Installation) -> None:
    make_provider(installation)

    with transaction.atomic():
        ingest(installation, make_incoming())
        assert len(owed()) == 1
        transaction.set_rollback(True)

    with tenant_context(ALL):
        assert not StoredEvent.objects.exists()
    assert owed() == []


def test_a_provider_that_is_off_or_another_installations_is_owed_nothing(installation: Installation) -> None:
    make_provider(installation, is_enabled=False)
    make_provider(make_installation("globex"))

    assert ingest(installation, make_incoming()).provider_ids == ()

    assert owed() == []


def test_a_large_batch_is_several_rows_in_its_order(installation: Installation) -> None:
    make_provider(installation)
    events = [make_incoming() for _ in range(250)]

    ingest(installation, *events)

    rows = owed()
    assert [row.count for row in rows] == [100, 100, 50]
    ids = [str(event_id) for row in rows for event_id in row.event_ids]
    assert ids == [event.envelope.id for event in events if event.envelope is not None]


def ingest_levels(highest: PrivacyLevel) -> BatchResult:
    """One event of each level for a provider that may have those up to ``highest``."""
    events = [make_event(f"at.{level}", privacy=level, properties={"a": make_property()}) for level in PrivacyLevel]
    make_published(make_spec(*events))
    installation = make_installation()
    make_provider(installation, highest_level=highest.value)
    return ingest(installation, *(make_incoming(name=each.name, properties={}) for each in events))


@pytest.mark.parametrize(
    ("highest", "names"),
    [
        (PrivacyLevel.PUBLIC, ["at.public"]),
        (PrivacyLevel.PII, ["at.internal", "at.pii", "at.public"]),
        (PrivacyLevel.SENSITIVE, ["at.internal", "at.pii", "at.public", "at.sensitive"]),
    ],
)
def test_events_above_a_providers_level_are_not_owed(highest: PrivacyLevel, names: list[str]) -> None:
    ingest_levels(highest)

    [row] = owed()
    assert row.names == names
    assert row.count == len(names)


@pytest.mark.parametrize(
    ("named", "kinds"),
    [
        ((), ["posthog", "segment", "webhook"]),
        ((ProviderType.POSTHOG,), ["posthog", "webhook"]),
        ((ProviderType.INTERNAL,), ["webhook"]),
    ],
)
def test_a_spec_that_names_providers_leaves_out_the_others(named: tuple[ProviderType, ...], kinds: list[str]) -> None:
    providers = tuple(ProviderDefinition(type=each) for each in named)
    make_published(make_spec(make_event("step"), config=TelemetryDefaults(providers=providers)))
    installation = make_installation(blueprint=AppBlueprint(spec=SpecPointer(name="sigil.telemetry")))
    for kind in (ProviderKind.POSTHOG, ProviderKind.SEGMENT, ProviderKind.WEBHOOK):
        make_provider(installation, kind=kind, name=kind.value)

    ingest(installation, make_incoming(name="step", properties={"step": "a"}))

    with tenant_context(ALL):
        found = DeliveryRecord.objects.values_list("provider__kind", flat=True)
        assert sorted(found) == kinds


def test_without_providers_nothing_is_queued_and_the_orm_is_not_asked(
    installation: Installation, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    received_at = datetime.now(UTC)
    ingest(installation, make_incoming(), received_at=received_at)

    # Providers are asked for by a prepared statement, which Django does not count. Whether anybody was erased here is
    # asked only by a process that holds no lease, as this one.
    with django_assert_num_queries(7) as queries:
        ingest(installation, make_incoming(), received_at=received_at)

    assert not any("telemetry_deliveryrecord" in each["sql"] for each in queries)


@pytest.mark.django_db(transaction=True)
def test_a_process_that_holds_a_lease_asks_for_providers_only_when_they_may_have_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_published()
    installation = make_installation()
    asked: list[object] = []

    def ask(*question: Any) -> list[tuple[Any, ...]]:
        asked.append(question)
        return execute(*question)

    monkeypatch.setattr(outbox, "execute", ask)
    with held() as lease:
        monkeypatch.setattr(PROCESS_LEASE, "lease", lease)

        assert [ingest(installation, make_incoming()).provider_ids for _ in range(3)] == [(), (), ()]
        assert len(asked) == 1

        before = lease.current()
        provider = make_provider(installation)
        wait_until(lambda: lease.current() not in (None, before))
        assert [ingest(installation, make_incoming()).provider_ids for _ in range(2)] == [(provider.pk,)] * 2
        assert len(asked) == 2

        # Nobody waits for the process to hear of it: the service has.
        with tenant_context(ALL):
            switch_provider(actor=SYSTEM, provider=provider, is_enabled=False)
        assert ingest(installation, make_incoming()).provider_ids == ()
