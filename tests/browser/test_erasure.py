"""A privacy officer erases a person in a browser, with scripts and without."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from telemetry.models import ErasureRequest
from telemetry.stores.live import connect, live_stream
from tenants.context import ALL, tenant_context
from tenants.roles import Role
from tests.browser.conftest import PersonMaker
from tests.telemetry.factories import ingest, make_provider
from tests.telemetry.services.erasure.person import PERSON, about, finish, make_shop, prepare, stored

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def servers(redis_url: str, settings: Settings) -> Iterator[None]:
    settings.REDIS_URL = redis_url
    settings.STUDIO_QUARANTINE_KEYS = ["a secret of the tests"]
    settings.STUDIO_CREDENTIAL_KEYS = ["another secret of the tests"]
    live_stream.cache_clear()
    yield
    live_stream.cache_clear()
    with connect(redis_url) as client:
        client.flushdb()


def work() -> None:
    with tenant_context(ALL):
        request = ErasureRequest.objects.get()
    finish(request)


@pytest.mark.parametrize(("width", "has_scripts"), [(1280, True), (390, False)])
def test_a_person_is_erased_from_the_form_to_the_receipt(person: PersonMaker, width: int, has_scripts: bool) -> None:
    prepare()
    shop = make_shop("acme")
    make_provider(shop)
    ingest(shop, about(), about(), about("somebody else"), about(properties={}))
    officer = person(Role.PRIVACY_OFFICER, shop.tenant, width=width, java_script_enabled=has_scripts)

    officer.open("/studio/erasure/new/")
    officer.page.fill("[name=subjects]", PERSON)
    officer.page.fill("[name=reference]", "DSR-2041")
    officer.page.click("text=Count what there is")
    assert officer.says("Still counting")
    address = officer.page.url
    work()
    if has_scripts:
        # The page asks again by itself.
        officer.page.wait_for_selector("text=Event store")
    else:
        officer.page.goto(address)
    assert officer.says("shop.order")

    officer.page.click("a:has-text('Erase')[href$='/confirm/']")
    assert officer.says("This cannot be undone.")
    officer.page.click("button:has-text('Erase 6 rows')")
    assert officer.says("kept away from now on")
    work()
    officer.page.goto(address)

    assert officer.says("telling providers")
    assert PERSON not in officer.page.content()
    assert officer.complaints == []
    assert stored() == 1
