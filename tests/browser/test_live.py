"""The live view in a real browser: events appear as they arrive, and wait while the page is paused."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest
from pytest_django import Settings
from redis import Redis

from telemetry.services.deliveries.delivering import deliver_once
from telemetry.stores.live import connect, live_stream
from tenants.roles import Role
from tests.browser.conftest import Person, PersonMaker
from tests.studio.api.compat.sending import Shop, make_shop
from tests.telemetry.factories import make_provider
from tests.telemetry.services.deliveries.receivers import receiver

pytestmark = pytest.mark.django_db(transaction=True)

ID = "01936d2e-0000-4000-8000-{:012}"


@pytest.fixture(autouse=True)
def stream(redis_url: str, settings: Settings) -> Iterator[None]:
    """The server's lines go through a real Valkey."""
    settings.REDIS_URL = redis_url
    live_stream.cache_clear()
    yield
    live_stream.cache_clear()
    with connect(redis_url) as client:
        client.flushdb()


def send(person: Person, shop: Shop, *numbers: int, event: str = "Order Completed", **properties: Any) -> None:
    """An app sends events."""
    batch = [
        {
            "event": event,
            "uuid": ID.format(number),
            "distinct_id": "alice@example.com",
            "properties": {"orderId": f"A-{number}", "email": "alice@example.com", **properties},
        }
        for number in numbers
    ]
    body = json.dumps({"api_key": shop.key, "batch": batch}).encode()
    request = Request(f"{person.address}/ingest/posthog/batch/", body, {"Content-Type": "application/json"})  # noqa: S310 - our own server
    with urlopen(request) as response:  # noqa: S310 - our own server
        assert response.status == 200


def line(person: Person, number: int) -> Any:
    """The line of this event."""
    return person.page.locator(f'[data-event="{ID.format(number)}"]')


def watching(person: Person, shop: Shop) -> None:
    """The page is open, and the server knows that somebody watches."""
    person.open(f"/studio/live/?installation={shop.installation.public_id}")
    person.page.wait_for_function("document.querySelector('[data-state]').textContent === 'Live'")
    # What a server process believes about being watched may be a second old.
    person.page.wait_for_timeout(1_200)


def test_an_event_appears_with_its_steps_and_without_its_personal_data(person: PersonMaker) -> None:
    shop = make_shop()
    viewer = person(Role.VIEWER, shop.installation.tenant)
    watching(viewer, shop)
    assert viewer.says("No event in the last day")

    send(viewer, shop, 1, stray=1)
    line(viewer, 1).wait_for()
    send(viewer, shop, 2, event="cart_viewed")
    viewer.page.locator(".live__name", has_text="no event is named 'cart_viewed'").wait_for()

    steps = [words.split() for words in viewer.page.locator(".live__line .steps").all_inner_texts()]
    assert steps == [["received", "not", "valid"], ["received", "valid", "sampled", "redacted", "stored"]]
    line(viewer, 1).locator("summary").click()
    detail = line(viewer, 1).inner_text()
    assert "properties.stray is not declared; it was left out" in detail
    assert "properties.email hash" in detail
    assert "context.userId pseudonym" in detail
    assert re.search(r'"email": "p1_', detail)
    assert "alice" not in viewer.page.content()
    assert viewer.complaints == []


def test_a_line_hears_when_its_event_was_delivered(person: PersonMaker, settings: Settings) -> None:
    settings.STUDIO_OUTGOING_ALLOW = ["127.0.0.1"]
    shop = make_shop()
    viewer = person(Role.VIEWER, shop.installation.tenant)
    with receiver() as hook:
        provider = make_provider(shop.installation, hook.url, name="Our hook")
        watching(viewer, shop)
        send(viewer, shop, 1)
        line(viewer, 1).get_by_text("on its way", exact=True).wait_for()

        deliver_once(provider.pk)

        line(viewer, 1).get_by_text("delivered", exact=True).wait_for()
    line(viewer, 1).locator("summary").click()
    assert "Our hook delivered" in " ".join(line(viewer, 1).inner_text().split())
    assert viewer.complaints == []


def test_a_paused_page_counts_what_waits(person: PersonMaker) -> None:
    shop = make_shop()
    viewer = person(Role.VIEWER, shop.installation.tenant)
    watching(viewer, shop)
    send(viewer, shop, 1)
    line(viewer, 1).wait_for()

    viewer.page.get_by_role("button", name="Pause").click()
    send(viewer, shop, 2, 3)
    viewer.page.get_by_text("Paused, 2 waiting").wait_for()
    assert line(viewer, 2).count() == 0

    viewer.page.get_by_role("button", name="Resume").click()
    line(viewer, 3).wait_for()
    shown = viewer.page.locator(".live__line").evaluate_all("lines => lines.map((line) => line.dataset.event)")
    assert shown == [ID.format(number) for number in (3, 2, 1)]
    assert viewer.complaints == []


def test_a_filter_shows_one_event_or_one_outcome(person: PersonMaker) -> None:
    shop = make_shop()
    viewer = person(Role.VIEWER, shop.installation.tenant)
    watching(viewer, shop)

    viewer.page.get_by_label("Outcome").select_option("rejected")
    viewer.page.wait_for_url("**outcome=rejected**")
    viewer.page.wait_for_function("document.querySelector('[data-state]').textContent === 'Live'")
    send(viewer, shop, 1)
    send(viewer, shop, 2, orderId=None)
    viewer.page.locator(".live__line").wait_for()

    assert viewer.page.locator(".live__line").count() == 1
    assert "rejected" in viewer.page.locator(".live__line").inner_text()
    assert viewer.complaints == []


def test_without_the_stream_the_page_says_so_and_shows_what_is_stored(
    person: PersonMaker, settings: Settings, redis_url: str
) -> None:
    shop = make_shop()
    viewer = person(Role.VIEWER, shop.installation.tenant)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    live_stream.cache_clear()

    viewer.open(f"/studio/live/?installation={shop.installation.public_id}")
    assert viewer.says("The live stream does not answer.")
    send(viewer, shop, 1)
    line(viewer, 1).wait_for()
    settings.REDIS_URL = redis_url
    live_stream.cache_clear()
    viewer.page.wait_for_function("document.querySelector('[data-state]').textContent === 'Live'")

    assert not viewer.page.locator("[data-away]").is_visible()
    assert viewer.complaints == []


def test_without_scripts_the_page_lists_what_is_stored(person: PersonMaker, redis_url: str) -> None:
    shop = make_shop()
    viewer = person(Role.VIEWER, shop.installation.tenant, java_script_enabled=False)
    viewer.open("/studio/live/")
    send(viewer, shop, 1)

    viewer.page.get_by_role("link", name="Look again").click()

    assert line(viewer, 1).is_visible()
    assert not viewer.page.get_by_role("button", name="Pause").is_visible()
    with Redis.from_url(redis_url) as client:
        assert client.exists(f"studio:live:watched:{shop.installation.public_id.hex}")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_its_screen(person: PersonMaker, width: int) -> None:
    shop = make_shop()
    viewer = person(Role.VIEWER, shop.installation.tenant, width=width)
    watching(viewer, shop)
    send(viewer, shop, 1, items=[{"sku": "s" * 60}])
    line(viewer, 1).locator("summary").click()

    assert viewer.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
