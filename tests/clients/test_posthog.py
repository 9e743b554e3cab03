"""PostHog's official clients for Python, Node and browsers, pointed at the studio."""

import logging
from datetime import datetime

import pytest
from posthog import Posthog

from telemetry.core.enums import EventSource
from tests.clients.expected import HAPPENED_AT, ORDER, assert_order, kept, pseudonym
from tests.clients.node import run
from tests.studio.api.compat.sending import Shop, stored

pytestmark = pytest.mark.django_db(transaction=True)

ID = "01936d2e-0000-4000-8000-000000000001"


@pytest.mark.parametrize("mode", ["v0", "v1"])
@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
def test_the_client_for_python(
    address: str, shop: Shop, mode: str, compressed: bool, caplog: pytest.LogCaptureFixture
) -> None:
    errors: list[Exception] = []
    client = Posthog(
        shop.key,
        host=f"{address}/ingest/posthog",
        gzip=compressed,
        capture_mode=mode,
        on_error=lambda error, _: errors.append(error),
        disable_geoip=False,
    )

    with caplog.at_level(logging.ERROR, "posthog"):
        client.capture(
            "Order Completed",
            distinct_id="user-123",
            properties=ORDER | {"$session_id": "session-9"},
            timestamp=datetime.fromisoformat(HAPPENED_AT),
            uuid=ID,
            groups={"company": "acme-gmbh"},
        )
        client.capture("$pageview", distinct_id="user-123", properties={"$current_url": "https://shop.example/cart/7"})
        flags = client.get_all_flags("user-123")
        client.shutdown()

    assert (errors, caplog.records) == ([], [])
    assert flags == {}
    order, view = stored(shop)
    assert_order(order, shop, EventSource.POSTHOG)
    assert str(order.id) == ID
    assert order.context["sessionId"] == pseudonym(shop, "session-9")
    assert order.context["organizationId"] == "acme-gmbh"
    assert view.properties == {"$current_url": "https://shop.example"}
    if mode == "v0":
        # The newer protocol names the library in a header only.
        assert order.context["channel"] == "posthog-python"
        assert order.context["metadata"] == {"$lib": "posthog-python"}


@pytest.mark.parametrize("mode", ["v0", "v1"])
def test_the_client_for_node(address: str, shop: Shop, mode: str) -> None:
    order = {
        "call": "capture",
        "distinctId": "user-123",
        "event": "Order Completed",
        "properties": ORDER,
        "timestamp": HAPPENED_AT,
        "uuid": ID,
        "groups": {"company": "acme-gmbh"},
    }
    view = {
        "call": "capture",
        "distinctId": "user-123",
        "event": "$pageview",
        "properties": {"$current_url": "https://shop.example/cart/7"},
    }

    said = run(
        "posthog.mjs",
        {"host": f"{address}/ingest/posthog", "key": shop.key, "calls": [order, view]},
        POSTHOG_CAPTURE_MODE=mode,
    )

    assert said == {"errors": [], "flags": {}}
    kept_order, kept_view = stored(shop)
    assert_order(kept_order, shop, EventSource.POSTHOG)
    assert str(kept_order.id) == ID
    assert kept_order.context["organizationId"] == "acme-gmbh"
    assert kept_view.properties == {"$current_url": "https://shop.example"}


def test_a_batch_that_is_sent_again_is_kept_once(address: str, shop: Shop) -> None:
    for _ in range(2):
        client = Posthog(shop.key, host=f"{address}/ingest/posthog")
        client.capture(
            "Order Completed", distinct_id="u", properties=ORDER, timestamp=datetime.fromisoformat(HAPPENED_AT), uuid=ID
        )
        client.shutdown()

    assert [str(event.id) for event in stored(shop)] == [kept(shop, ID)]


def test_a_wrong_key_is_an_error_that_the_client_reports(address: str, shop: Shop) -> None:
    errors: list[Exception] = []
    client = Posthog(
        "phc_of_somewhere_else", host=f"{address}/ingest/posthog", on_error=lambda error, _: errors.append(error)
    )

    client.capture("Order Completed", distinct_id="user-123", properties=ORDER)
    client.shutdown()

    assert len(errors) == 1
    assert "the API key is missing, unknown, expired or revoked" in str(errors[0])
    assert stored(shop) == []
