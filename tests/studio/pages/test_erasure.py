"""Pages on which a privacy officer erases a person, and has their data put together."""

import json
from collections.abc import Iterator
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.utils import timezone
from pytest_django import Settings

from telemetry.models import (
    AccessExport,
    ErasureForward,
    ErasureRequest,
    ErasureState,
    ForwardState,
    ProviderKind,
    StoredEvent,
)
from telemetry.services.access.collecting import collect
from telemetry.services.holds import place_hold
from telemetry.stores.live import connect, live_stream
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Role
from tests.studio.visitors import actions, assert_denied, assert_refused, errors_in, text_of, visitor
from tests.telemetry.factories import ingest, make_provider
from tests.telemetry.services.erasure.person import PERSON, about, enter, finish, make_shop, prepare, pseudonyms_of

pytestmark = pytest.mark.django_db

ERASURE = "/studio/erasure/"
ACCESS = "/studio/access/"


@pytest.fixture(autouse=True)
def servers(redis_url: str, settings: Settings) -> Iterator[None]:
    settings.REDIS_URL = redis_url
    settings.STUDIO_CREDENTIAL_KEYS = ["a secret of the tests"]
    live_stream.cache_clear()
    yield
    live_stream.cache_clear()
    with connect(redis_url) as client:
        client.flushdb()


@pytest.fixture
def shop() -> Installation:
    prepare()
    found = make_shop("acme")
    ingest(found, about(), about(), about("somebody else"))
    return found


def the_request() -> ErasureRequest:
    with tenant_context(ALL):
        return ErasureRequest.objects.get()


def test_an_officer_erases_a_person_from_the_form_to_the_receipt(shop: Installation) -> None:
    officer = visitor(Role.PRIVACY_OFFICER, shop.tenant)
    assert "Nobody has asked to be erased" in text_of(officer.get(ERASURE))

    entered = officer.fill_in(f"{ERASURE}new/", subjects=PERSON, reference="DSR-2041")
    place = f"{ERASURE}{the_request().public_id}/"
    assert (entered.status_code, entered.url) == (302, place)
    assert "Still counting" in text_of(officer.get(place))

    finish(the_request())
    page = text_of(officer.get(place))
    assert "Event store" in page
    assert "shop.order" in page
    assert "Sketches of unique subjects" in page
    asked = text_of(officer.get(f"{place}confirm/"))
    assert "3 rows about the person at Acme will be gone" in asked
    assert "This cannot be undone." in asked
    officer.post(f"{place}confirm/")
    finish(the_request())

    done = officer.get(place)
    assert "done" in text_of(done)
    assert "number 1" in text_of(done)
    with tenant_context(ALL):
        assert StoredEvent.objects.count() == 1
    texts = "".join(each.content.decode() for each in (officer.get(ERASURE), done))
    assert not any(name in texts for name in (PERSON, *pseudonyms_of(shop.tenant)))


@pytest.mark.parametrize("text", ["", "  \n ", "*", "%", "user*"])
def test_what_is_no_id_is_refused_beside_the_field(shop: Installation, text: str) -> None:
    officer = visitor(Role.PRIVACY_OFFICER)

    errors = assert_refused(lambda: officer.fill_in(f"{ERASURE}new/", subjects=text))

    assert set(errors) == {"subjects"}


@pytest.mark.parametrize(("ids", "is_told"), [(PERSON, False), (f"{PERSON}\n42", True)])
def test_an_id_too_short_to_be_looked_for_in_texts_is_told_at_once(shop: Installation, ids: str, is_told: bool) -> None:
    officer = visitor(Role.PRIVACY_OFFICER, shop.tenant)

    officer.fill_in(f"{ERASURE}new/", subjects=ids)

    assert ("An id is too short to be told from other words" in text_of(officer.get(ERASURE))) is is_told


def test_a_refused_form_does_not_show_the_id_again(shop: Installation) -> None:
    officer = visitor(Role.PRIVACY_OFFICER)

    answer = officer.fill_in(f"{ERASURE}new/", subjects=f"{PERSON}\nuser*", reference="Jane Doe")

    assert answer.status_code == 200
    assert PERSON not in answer.content.decode()


def test_several_ids_and_chosen_tenants_make_one_case(shop: Installation) -> None:
    other, third = make_shop("globex"), make_shop("initech")
    ingest(other, about(None, context={"device_id": "device-1"}))
    officer = visitor(Role.PRIVACY_OFFICER)

    chosen = [shop.tenant_id, other.tenant_id]
    slugs = [shop.tenant.slug, other.tenant.slug]
    answer = officer.post(f"{ERASURE}new/", {"subjects": f"{PERSON}\r\ndevice-1\r\n", "tenants": slugs})

    assert answer.url == ERASURE
    with tenant_context(ALL):
        requests = list(ErasureRequest.objects.order_by("tenant__slug"))
    assert [request.tenant_id for request in requests] == chosen
    assert third.tenant_id not in chosen
    assert len({request.case_id for request in requests}) == 1
    for request in requests:
        finish(request)
    assert [sum(count for *_, count in request.found) for request in requests] == [3, 2]
    page = text_of(officer.get(f"{ERASURE}{requests[0].public_id}/"))
    assert "The same person at other tenants Globex" in page


def test_a_hold_is_told_and_there_is_no_button(shop: Installation) -> None:
    with tenant_context(ALL):
        place_hold(actor=SYSTEM, tenant=shop.tenant, reason="Case 12")
    [request] = enter(shop.tenant)
    officer = visitor(Role.PRIVACY_OFFICER)
    place = f"{ERASURE}{request.public_id}/"

    page = officer.get(place)
    refused = officer.post(f"{place}confirm/")

    assert "keep events of this person: nothing can be erased before they are lifted" in text_of(page)
    assert f"{place}confirm/" not in page.content.decode()
    assert "Nothing was changed" in text_of(officer.get(refused.url))
    assert the_request().state == ErasureState.READY


def test_a_request_can_be_let_go(shop: Installation) -> None:
    [request] = enter(shop.tenant)
    officer = visitor(Role.PRIVACY_OFFICER)

    assert "forgets who the person is" in text_of(officer.get(f"{ERASURE}{request.public_id}/cancel/"))
    officer.post(f"{ERASURE}{request.public_id}/cancel/")

    assert the_request().state == ErasureState.CANCELLED
    assert actions()[-1] == "erasure.cancelled"


def test_what_is_older_than_a_month_is_overdue(shop: Installation) -> None:
    [request] = enter(shop.tenant)
    with tenant_context(ALL):
        ErasureRequest.objects.update(due_on=timezone.now().date() - timedelta(days=1))
    officer = visitor(Role.PRIVACY_OFFICER)

    assert "1 request is older than a month" in text_of(officer.get(ERASURE))
    assert "overdue" in text_of(officer.get(f"{ERASURE}{request.public_id}/"))

    officer.post(f"{ERASURE}{request.public_id}/cancel/")
    assert "overdue" not in text_of(officer.get(ERASURE))


@pytest.mark.parametrize(("kind", "stays"), [(ProviderKind.SEGMENT, True), (ProviderKind.POSTHOG, False)])
def test_what_a_provider_cannot_delete_is_said_where_it_matters(
    shop: Installation, kind: ProviderKind, stays: bool
) -> None:
    provider = make_provider(shop, "https://api.example.com", kind=kind)
    [request] = enter(shop.tenant)
    officer = visitor(Role.PRIVACY_OFFICER)
    officer.post(f"{ERASURE}{request.public_id}/confirm/")
    finish(request)

    of_request = text_of(officer.get(f"{ERASURE}{request.public_id}/"))
    of_access = text_of(visitor(Role.ADMIN).get(f"/studio/providers/{provider.public_id}/erasing/"))

    words = "Segment deletes by user id alone"
    assert (words in of_request, words in of_access) == (stays, stays)


def test_a_provider_that_was_given_up_is_told_again(shop: Installation) -> None:
    make_provider(shop)
    [request] = enter(shop.tenant)
    officer = visitor(Role.PRIVACY_OFFICER)
    place = f"{ERASURE}{request.public_id}/"
    officer.post(f"{place}confirm/")
    finish(request)
    with tenant_context(ALL):
        ErasureForward.objects.update(state=ForwardState.FAILED, error="answered", status=401)

    assert "It answered with status 401" in text_of(officer.get(place))
    officer.post(f"{place}retry/")

    with tenant_context(ALL):
        assert ErasureForward.objects.get().state == ForwardState.WAITING
    assert actions()[-1] == "erasure.forwards_retried"


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST, Role.PUBLISHER])
def test_who_is_no_officer_sees_none_of_it(shop: Installation, role: Role) -> None:
    [request] = enter(shop.tenant)
    person = visitor(role, shop.tenant)

    assert_denied("erasure.handle", lambda: person.get(ERASURE))
    assert_denied("erasure.handle", lambda: person.post(f"{ERASURE}new/", {"subjects": PERSON}))
    assert_denied("access.handle", lambda: person.get(ACCESS))
    assert_denied("access.handle", lambda: person.post(f"{ACCESS}new/", {"subjects": PERSON}))
    assert person.get(f"{ERASURE}{request.public_id}/").status_code == 404
    assert person.post(f"{ERASURE}{request.public_id}/confirm/").status_code == 404
    assert "Erasure" not in text_of(person.get("/studio/"))


def test_anothers_request_is_not_there(shop: Installation) -> None:
    other = make_shop("globex")
    [request] = enter(other.tenant)
    officer = visitor(Role.PRIVACY_OFFICER, shop.tenant)

    assert officer.get(f"{ERASURE}{request.public_id}/").status_code == 404
    assert "Nobody has asked" in text_of(officer.get(ERASURE))


def test_a_persons_data_is_put_together_and_downloaded(shop: Installation) -> None:
    officer = visitor(Role.PRIVACY_OFFICER, shop.tenant)
    assert "Nobody has asked for their data" in text_of(officer.get(ACCESS))

    officer.fill_in(f"{ACCESS}new/", subjects=PERSON, reference="DSR-9")
    with tenant_context(ALL):
        export = AccessExport.objects.get()
    assert officer.post(f"{ACCESS}{export.public_id}/download/").url == ACCESS
    while collect(export.pk):
        pass
    page = officer.get(ACCESS)
    answer = officer.post(f"{ACCESS}{export.public_id}/download/")

    assert "DSR-9" in text_of(page)
    assert PERSON not in page.content.decode()
    assert len(json.loads(b"".join(answer.streaming_content))["events"]) == 2
    assert officer.get(f"{ACCESS}{export.public_id}/download/").status_code == 405


def test_long_lists_cost_no_more_queries_than_short_ones(shop: Installation) -> None:
    officer = visitor(Role.PRIVACY_OFFICER)
    enter(shop.tenant)
    officer.fill_in(f"{ACCESS}new/", subjects=PERSON)
    short = [officer.cost_of(address) for address in (ERASURE, ACCESS)]

    for _ in range(4):
        enter(shop.tenant)
        officer.fill_in(f"{ACCESS}new/", subjects=PERSON)

    assert [officer.cost_of(address) for address in (ERASURE, ACCESS)] == short


def test_an_admin_says_how_posthog_is_told_and_never_sees_the_key_again(shop: Installation) -> None:
    provider = make_provider(shop, "https://us.i.posthog.com", kind=ProviderKind.POSTHOG)
    admin = visitor(Role.ADMIN, shop.tenant)
    place = f"/studio/providers/{provider.public_id}/"
    assert f"{place}erasing/" in admin.get(place).content.decode()

    errors = errors_in(admin.fill_in(f"{place}erasing/", projectId="1", host="https://127.0.0.1", credential="phx_key"))
    assert errors == {"host": ["Leads into an internal network"]}
    with patch("telemetry.providers.outgoing.targets.system_resolver", return_value=["93.184.215.14"]):
        answer = admin.fill_in(f"{place}erasing/", projectId="1", credential="phx_key")

    assert answer.url == place
    page = admin.get(f"{place}erasing/")
    assert "phx_key" not in page.content.decode()
    assert page.context["form"].initial == {"projectId": "1", "host": "https://us.posthog.com"}


def test_a_web_hook_needs_no_access_of_its_own(shop: Installation) -> None:
    provider = make_provider(shop)
    place = f"/studio/providers/{provider.public_id}/"
    admin = visitor(Role.ADMIN, shop.tenant)

    assert "Erasing there" not in text_of(admin.get(place))
    assert admin.get(f"{place}erasing/").url == place
    assert visitor(Role.PUBLISHER, shop.tenant).get(f"{place}erasing/").status_code == 403
