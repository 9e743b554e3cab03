"""The live view: who sees what of which installation."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from telemetry.core.enums import EventSource
from telemetry.core.events import Context, Envelope
from telemetry.services.deliveries.delivering import deliver_once
from telemetry.services.ingest.incoming import Incoming
from telemetry.services.ingest.service import ingest_batch
from telemetry.stores.live import START, connect, live_stream
from tenants.roles import Role
from tests.studio.api.compat.sending import Shop, make_shop
from tests.studio.visitors import text_of, visitor
from tests.telemetry.factories import make_provider
from tests.telemetry.services.deliveries.receivers import receiver
from tests.tenants.factories import make_installation, make_tenant

pytestmark = pytest.mark.django_db

PAGE, LINES = "/studio/live/", "/studio/live/lines/"
ID = "01936d2e-0000-4000-8000-{:012}"


@pytest.fixture
def stream(redis_url: str, settings: Settings) -> Iterator[None]:
    """Lines go through a real Valkey."""
    settings.REDIS_URL = redis_url
    live_stream.cache_clear()
    yield
    live_stream.cache_clear()
    with connect(redis_url) as client:
        client.flushdb()


@pytest.fixture(autouse=True)
def own_stream() -> Iterator[None]:
    """No test goes on with the connection, or the pause after a failure, of another."""
    live_stream.cache_clear()
    yield
    live_stream.cache_clear()


def receive(shop: Shop, *names: str, start: int = 0, **properties: Any) -> None:
    """Events of these names arrive, numbered on."""
    events = [
        Incoming(
            envelope=Envelope(
                id=ID.format(start + number),
                name=name,
                occurred_at=timezone.now(),
                properties={"orderId": f"A-{number}", "email": "alice@example.com", **properties},
                context=Context(user_id="alice@example.com"),
            ),
            source=EventSource.POSTHOG,
        )
        for number, name in enumerate(names)
    ]
    ingest_batch(installation=shop.installation, events=events, received_at=timezone.now())


def shown(response: Any) -> list[str]:
    """The ids on the page, from top to bottom, by their last digit."""
    return [str(each.line.event_id)[-1] for each in response.context["lines"]]


def test_the_page_opens_with_what_was_stored_lately() -> None:
    shop = make_shop()
    receive(shop, "Order Completed", "Order Completed")
    receive(shop, "page", start=2, url="https://shop.example")

    response = visitor(Role.VIEWER, shop.installation.tenant).get(PAGE)

    assert shown(response)[0] == "2"
    assert sorted(shown(response)) == ["0", "1", "2"]
    text = text_of(response)
    assert "Order Completed" in text
    assert "alice" not in text


def test_what_was_stored_and_what_is_live_are_one_list(
    stream: None, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    shop = make_shop()
    receive(shop, "Order Completed")
    viewer = visitor(Role.VIEWER, shop.installation.tenant)
    viewer.get(PAGE)
    with django_capture_on_commit_callbacks(execute=True):
        receive(shop, "Order Completed", start=1)

    response = viewer.get(PAGE)

    assert shown(response) == ["1", "0"]
    assert response.context["look"].is_live


def test_the_lines_after_a_cursor_come_as_pieces_of_the_page(
    stream: None, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    shop = make_shop()
    viewer = visitor(Role.VIEWER, shop.installation.tenant)
    cursor = viewer.get(PAGE).context["look"].cursor
    with django_capture_on_commit_callbacks(execute=True):
        receive(shop, "Order Completed", "<script>alert(1)</script>", "page", stray=1)

    asked = {"installation": str(shop.installation.public_id), "after": cursor}
    answer = viewer.get(LINES, **asked).json()
    events = viewer.get(LINES, **asked, event="page").json()
    outcomes = viewer.get(LINES, **asked, outcome="rejected").json()
    again = viewer.get(LINES, **{**asked, "after": answer["cursor"]}).json()

    assert answer["isLive"]
    assert [("rejected" in line, "stored" in line) for line in answer["lines"]] == [
        (False, True),
        (True, False),
        (False, True),
    ]
    assert "<script>" not in json.dumps(answer)
    assert "alice" not in json.dumps(answer)
    assert [">page<" in line for line in events["lines"]] == [True]
    assert ["rejected" in line for line in outcomes["lines"]] == [True]
    assert again["lines"] == []


def test_what_comes_too_fast_is_counted(
    stream: None, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    shop = make_shop()
    viewer = visitor(Role.VIEWER, shop.installation.tenant)
    cursor = viewer.get(PAGE).context["look"].cursor
    for start in (0, 100):
        with django_capture_on_commit_callbacks(execute=True):
            receive(shop, *["Order Completed"] * 60, start=start)

    answer = viewer.get(LINES, installation=str(shop.installation.public_id), after=cursor).json()

    assert (len(answer["lines"]), answer["skipped"]) == (100, 20)


def test_without_the_stream_stored_events_take_their_place() -> None:
    shop = make_shop()
    receive(shop, "Order Completed")
    viewer = visitor(Role.VIEWER, shop.installation.tenant)

    page = viewer.get(PAGE)
    since = page.context["lines"][0].line.received_at.isoformat()
    receive(shop, "Order Completed", start=1)
    asked = {"installation": str(shop.installation.public_id), "since": since}
    answer = viewer.get(LINES, **asked).json()

    assert "The live stream does not answer." in text_of(page)
    assert shown(page) == ["0"]
    assert not answer["isLive"]
    assert [ID.format(1) in line for line in answer["lines"]] == [True]
    assert viewer.get(LINES, **asked, outcome="rejected").json()["lines"] == []
    assert viewer.get(LINES, **{**asked, "since": "nonsense"}).json()["lines"] == []


def test_a_line_says_how_far_its_event_got_and_hears_of_it_later(settings: Settings) -> None:
    settings.STUDIO_OUTGOING_ALLOW = ["127.0.0.1"]
    shop = make_shop()
    viewer = visitor(Role.VIEWER, shop.installation.tenant)
    with receiver() as hook:
        provider = make_provider(shop.installation, hook.url, name="Our hook")
        receive(shop, "Order Completed")
        asked = {"installation": str(shop.installation.public_id), "pending": f"{ID.format(0)},nonsense"}
        page, before = viewer.get(PAGE), viewer.get(LINES, **asked).json()["deliveries"]
        deliver_once(provider.pk)
        after = viewer.get(LINES, **asked).json()["deliveries"]

    assert "Our hook on its way" in text_of(page)
    assert "data-pending" in page.content.decode()
    assert [before[ID.format(0)]["isSettled"], after[ID.format(0)]["isSettled"]] == [False, True]
    assert ">delivered<" in after[ID.format(0)]["step"]
    assert "Our hook" in after[ID.format(0)]["detail"]
    assert "data-pending" not in viewer.get(PAGE).content.decode()


def test_another_tenants_deliveries_are_not_told() -> None:
    shop = make_shop()
    make_provider(shop.installation)
    receive(shop, "Order Completed")
    other = make_installation()
    stranger = visitor(Role.ADMIN, other.tenant)

    answer = stranger.get(LINES, installation=str(other.public_id), pending=ID.format(0)).json()

    assert answer["deliveries"] == {}


def test_an_empty_page_says_what_to_send_and_where() -> None:
    shop = make_shop()

    viewer = visitor(Role.VIEWER, shop.installation.tenant).get(PAGE)
    admin = visitor(Role.ADMIN, shop.installation.tenant).get(PAGE)

    assert "/ingest/posthog/e/" in text_of(viewer)
    assert '"orderId": "example"' in text_of(viewer)
    assert "Issue a key" not in text_of(viewer)
    assert f"installation={shop.installation.pk}" in admin.content.decode()


def test_somebody_without_any_installation_is_told_so() -> None:
    response = visitor(Role.VIEWER, make_tenant()).get(PAGE)

    assert "No installation yet" in text_of(response)


@pytest.mark.parametrize("path", [PAGE, LINES])
def test_another_tenants_events_are_as_absent_as_those_of_nobody(path: str) -> None:
    shop = make_shop()
    receive(shop, "Order Completed")
    stranger = visitor(Role.ADMIN, make_installation().tenant)

    assert stranger.get(path, installation=str(shop.installation.public_id)).status_code == 404
    assert stranger.get(path, installation="nonsense").status_code == 404
    assert "Order Completed" not in text_of(stranger.get(PAGE))


def test_nobody_sees_it_without_signing_in() -> None:
    for path in (PAGE, LINES):
        response = Client().get(path)

        assert response.status_code == 302
        assert response["Location"].startswith("/studio/login/")


def test_the_page_takes_as_many_queries_for_many_lines_as_for_one() -> None:
    shop = make_shop()
    receive(shop, "Order Completed")
    viewer = visitor(Role.VIEWER, shop.installation.tenant)
    address = f"{PAGE}?installation={shop.installation.public_id}"
    viewer.get(address)
    few = viewer.cost_of(address)
    receive(shop, *["Order Completed"] * 60, start=1)

    assert viewer.cost_of(address) <= few
    # The installations to choose from, what holds at this one, its providers, three looks at the store, each further
    # back, and that somebody looked.
    assert few - viewer.cost_of("/studio/lint-rules/") == 7


def test_the_side_bar_leads_to_it() -> None:
    shop = make_shop()

    assert '"/studio/live/"' in visitor(Role.VIEWER, shop.installation.tenant).get("/studio/").content.decode()


def test_a_look_is_enough_to_be_watching(stream: None) -> None:
    shop = make_shop()

    visitor(Role.VIEWER, shop.installation.tenant).get(PAGE)

    assert live_stream().is_watched(shop.installation.public_id)
    assert live_stream().read(shop.installation.public_id, START).lines == []
