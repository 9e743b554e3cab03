"""PostHog's official client for browsers, on a page of another origin, in a real Chromium."""

import json
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from django.db import connections

from telemetry.core.config import AppBlueprint, SpecPointer
from telemetry.core.enums import EventSource, PrivacyLevel, UndeclaredPolicy
from telemetry.models import StoredEvent
from telemetry.stores.live import START, LiveStream, connect
from tenants.roles import Scope
from tests.browser.conftest import ARGUMENTS, chromium
from tests.clients.canary import ADDRESS, TOKEN, values
from tests.clients.expected import HAPPENED_AT, ORDER, assert_order, pseudonym
from tests.clients.node import PACKAGES, install
from tests.clients.search import everything_in_database, everything_in_valkey, places_with
from tests.clients.server import RunningStudio
from tests.clients.test_canary import guarded_spec
from tests.sdk.servers import PATIENCE, Asked, Reply, scripted_server
from tests.studio.api.compat.sending import Shop, stored
from tests.telemetry.factories import make_installation, make_published
from tests.tenants.factories import make_key

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.django_db(transaction=True)

ID = "01936d2e-0000-4000-8000-000000000001"
# A browser that a test drives counts as a bot, of which the client says nothing unless it is told to.
PAGE = """<!doctype html><title>Cart</title><script src="/posthog.js"></script>
<script>posthog.init({key}, {{api_host: {host}, opt_out_useragent_filter: true}})</script><button>Buy</button>"""


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator["Page"]:
    """A page of a browser of its own."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    sync_api = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
    program = chromium()
    if program is None:
        pytest.skip("no Chromium on this machine: install the package chromium")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield launched.new_page()
        launched.close()
        connections.close_all()


def shop_page(shop: Shop, address: str) -> Callable[[Asked], Reply]:
    """What the web server of the shop answers: its page, and the client's script as it is published."""
    install()
    script = (PACKAGES / "posthog-js" / "dist" / "array.js").read_bytes()
    html = PAGE.format(key=json.dumps(shop.key), host=json.dumps(f"{address}/ingest/posthog"))

    def answer(asked: Asked) -> Reply:
        if asked.path == "/posthog.js":
            return Reply(200, script, {"Content-Type": "text/javascript"})
        return Reply(200, html.encode(), {"Content-Type": "text/html"})

    return answer


def everything_kept(owner: psycopg.Connection, redis_url: str, studio: RunningStudio) -> dict[str, bytes]:
    """All that could hold what a page has sent."""
    with connect(redis_url) as client:
        return {**everything_in_database(owner), **everything_in_valkey(client), "log": studio.log.read_bytes()}


def wait_for(shop: Shop, count: int) -> list[StoredEvent]:
    """What is kept, once there is so much of it."""
    deadline = time.monotonic() + PATIENCE
    while len(found := stored(shop)) < count and time.monotonic() < deadline:
        time.sleep(0.2)
    return found


def test_events_of_a_page_arrive_also_that_of_its_last_moment(page: "Page", address: str, shop: Shop) -> None:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    order: Any = [ORDER, {"uuid": ID, "timestamp": HAPPENED_AT}]

    with scripted_server() as server:
        server.answer = shop_page(shop, address)
        page.goto(f"{server.url}/cart?email=alice@example.com")
        (view,) = wait_for(shop, 1)
        who, session = page.evaluate("[posthog.get_distinct_id(), posthog.get_session_id()]")
        page.evaluate("posthog.identify('user-123', {plan: 'pro', email: 'alice@example.com'})")
        wait_for(shop, 2)
        page.evaluate(
            "([properties, {uuid, timestamp}]) =>"
            " posthog.capture('Order Completed', properties, {uuid, timestamp: new Date(timestamp)})",
            order,
        )
        wait_for(shop, 3)
        # For the last moment of a page the client has a beacon.
        page.goto("about:blank")
        events = {event.name: event for event in wait_for(shop, 4)}

    assert complaints == []
    assert (view.name, view.source) == ("$pageview", EventSource.POSTHOG)
    assert view.properties == {"$current_url": server.url[:20]}
    assert view.context["userId"] == view.context["deviceId"] == pseudonym(shop, who)
    assert view.context["sessionId"] == pseudonym(shop, session)
    assert view.context["channel"] == "web"
    assert events["identify"].properties == {"plan": "pro", "email": "REDACTED"}
    assert_order(events["Order Completed"], shop, EventSource.POSTHOG)
    assert str(events["Order Completed"].id) == ID
    assert events["Order Completed"].context["deviceId"] == pseudonym(shop, who)
    assert events["$pageleave"].properties == {"$pathname": "/cart"}


def test_an_address_in_every_field_of_a_page_is_found_nowhere(
    page: "Page", studio: RunningStudio, redis_url: str, owner_connection: psycopg.Connection
) -> None:
    make_published(guarded_spec(PrivacyLevel.PII, UndeclaredPolicy.KEEP))
    installation = make_installation("acme", blueprint=AppBlueprint(spec=SpecPointer(name="shop.events")))
    shop = Shop(installation, make_key(installation, Scope.INGEST).text)
    answers: list[str] = []
    page.on("response", lambda answer: answers.append(str(answer.headers) + (answer.text() if answer.ok else "")))
    with connect(redis_url) as client:
        LiveStream(client).read(installation.public_id, START)

    with scripted_server() as server:
        server.answer = shop_page(shop, studio.address)
        page.goto(f"{server.url}/{ADDRESS}?email={ADDRESS}#{ADDRESS}")
        wait_for(shop, 1)
        page.evaluate(
            "([address, properties]) => { document.title = address; posthog.register({super: address});"
            " posthog.identify(address, properties, properties); posthog.group('company', address, properties);"
            " posthog.alias(address, address); posthog.setPersonProperties(properties);"
            " posthog.capture(`Order of ${address}`, properties); posthog.captureException(new Error(address)); }",
            [ADDRESS, values()],
        )
        page.evaluate("(properties) => posthog.capture('Order Completed', properties)", values())
        events = wait_for(shop, 4)

    assert "Order Completed" in {event.name for event in events}
    contents = everything_kept(owner_connection, redis_url, studio) | {
        "answers": "".join(answer for answer in answers if "posthog.init" not in answer).encode()
    }
    assert any(name.startswith("studio:live:") for name in contents)
    assert places_with(TOKEN, contents) == []
    assert places_with(shop.key.rpartition("_")[2], contents) == []
