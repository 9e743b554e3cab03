"""How far events got with each provider, for those who watch."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from telemetry.models import DeliveryState
from telemetry.selectors.live_deliveries import LiveDelivery, live_deliveries
from telemetry.services.deliveries.delivering import deliver_once
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.sdk.servers import Reply
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_provider, make_published
from tests.telemetry.services.deliveries.receivers import Receiver, receiver

pytestmark = pytest.mark.django_db


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


@pytest.fixture
def hook(settings: Settings) -> Iterator[Receiver]:
    settings.STUDIO_OUTGOING_ALLOW = ["127.0.0.1"]
    with receiver() as found:
        yield found


def store(installation: Installation) -> UUID:
    """An event is stored; its id."""
    event = make_incoming()
    ingest(installation, event)
    assert event.envelope is not None
    return UUID(event.envelope.id)


def found(installation: Installation, *event_ids: UUID) -> dict[UUID, list[LiveDelivery]]:
    with tenant_context(ALL):
        return dict(live_deliveries(installation, event_ids))


def test_an_event_is_on_its_way_until_its_provider_has_it(installation: Installation, hook: Receiver) -> None:
    provider = make_provider(installation, hook.url)
    event_id = store(installation)
    assert found(installation, event_id) == {event_id: [LiveDelivery(provider.name, DeliveryState.WAITING, "")]}

    deliver_once(provider.pk)

    assert found(installation, event_id) == {event_id: [LiveDelivery(provider.name, DeliveryState.DELIVERED, "")]}


def test_an_event_that_a_provider_does_not_want_is_given_up(installation: Installation, hook: Receiver) -> None:
    provider = make_provider(installation, hook.url)
    hook.always = Reply(400)
    event_id = store(installation)

    deliver_once(provider.pk)

    assert found(installation, event_id) == {event_id: [LiveDelivery(provider.name, DeliveryState.DEAD, "answered")]}


def test_only_the_events_asked_for_and_of_this_installation_are_found(
    installation: Installation, hook: Receiver
) -> None:
    make_provider(installation, hook.url)
    event_id, _ = store(installation), store(installation)
    other = make_installation("globex")

    assert set(found(installation, event_id)) == {event_id}
    assert found(other, event_id) == {}


def test_it_takes_two_queries_however_many_events_and_providers(
    installation: Installation, hook: Receiver, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with tenant_context(ALL), django_assert_num_queries(1):
        assert live_deliveries(installation, [UUID(int=1)]) == {}
    for number in range(3):
        make_provider(installation, hook.url, name=f"Hook {number}")
    event_ids = [store(installation) for _ in range(4)]

    with tenant_context(ALL), django_assert_num_queries(0):
        assert live_deliveries(installation, []) == {}
    with tenant_context(ALL), django_assert_num_queries(2):
        deliveries = live_deliveries(installation, event_ids)

    assert [each.provider for each in deliveries[event_ids[0]]] == ["Hook 0", "Hook 1", "Hook 2"]
