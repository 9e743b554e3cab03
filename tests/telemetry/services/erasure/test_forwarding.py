"""Providers are told to erase a person: in their own words, until it works, and with their state for all to see."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone
from pytest_django import Settings

from telemetry.core.errors import Conflict, InvalidDocument
from telemetry.models import (
    ErasureForward,
    ErasureRequest,
    ErasureState,
    ForwardState,
    ProviderKind,
    ProviderRecord,
    Receipt,
)
from telemetry.providers.webhook import SIGNATURE_HEADER, sign
from telemetry.services.credentials import reseal_credentials
from telemetry.services.erasure.accesses import set_erasure_access
from telemetry.services.erasure.forwarding import due_forwards, forward
from telemetry.services.erasure.requests import retry_forwards
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.telemetry.factories import ingest, make_provider
from tests.telemetry.services.erasure.person import about, confirm, enter, finish, make_shop, prepare, pseudonyms_of

pytestmark = pytest.mark.django_db


class Place:
    """The other end: what it was told, and what it answers."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answers: dict[str, tuple[int, bytes]] = {}
        place = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                place.calls.append((self.command, self.path, dict(self.headers), body))
                status, said = place.answers.get(self.command, (200, b"{}"))
                self.send_response(status)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            do_GET = do_POST = answer  # noqa: N815 - the names are the library's

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def place(settings: Settings) -> Iterator[Place]:
    found = Place()
    settings.STUDIO_OUTGOING_ALLOW = ["127.0.0.1"]
    thread = threading.Thread(target=found.server.serve_forever, daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


@pytest.fixture
def shop() -> Installation:
    prepare()
    return make_shop("acme")


def provide(shop: Installation, place: Place, kind: ProviderKind, **access: str) -> ProviderRecord:
    provider = make_provider(shop, place.address, kind=kind, name=kind.value, is_enabled=False)
    if access:
        with tenant_context(ALL):
            set_erasure_access(actor=SYSTEM, provider=provider, settings=access, credential="the access")
    return provider


def erase(shop: Installation) -> ErasureRequest:
    ingest(shop, about())
    [request] = enter(shop.tenant)
    confirm(request)
    return finish(request)


def tell(after: timedelta = timedelta(minutes=2)) -> None:
    at = timezone.now() + after
    for each in due_forwards(at):
        forward(each, now=at)


def forwards() -> list[ErasureForward]:
    with tenant_context(ALL):
        return list(ErasureForward.objects.order_by("pk"))


def test_posthog_deletes_persons_with_their_events(shop: Installation, place: Place) -> None:
    provide(shop, place, ProviderKind.POSTHOG, projectId="123", host=place.address)

    request = erase(shop)
    assert request.state == ErasureState.FORWARDING
    tell()
    finish(request, after=timedelta(minutes=3))

    [(method, path, headers, body)] = place.calls
    assert (method, path) == ("POST", "/api/projects/123/persons/bulk_delete/")
    assert headers["Authorization"] == "Bearer the access"
    assert json.loads(body) == {
        "distinct_ids": pseudonyms_of(shop.tenant),
        "delete_events": True,
        "delete_recordings": True,
    }
    assert [each.state for each in forwards()] == [ForwardState.DONE]
    assert request.state == ErasureState.DONE
    with tenant_context(ALL):
        assert Receipt.objects.get().facts["providers"] == [{"kind": "posthog", "state": "done"}]


@pytest.mark.parametrize(("known", "state"), [([], ForwardState.DONE), ([{"id": 1}], ForwardState.WAITING)])
def test_posthogs_400_is_no_failure_where_it_knows_nobody(
    shop: Installation, place: Place, known: list[object], state: ForwardState
) -> None:
    provide(shop, place, ProviderKind.POSTHOG, projectId="123", host=place.address)
    place.answers = {"POST": (400, b"{}"), "GET": (200, json.dumps({"results": known}).encode())}

    erase(shop)
    tell()

    asked = urlsplit(place.calls[1][1])
    assert (asked.path, parse_qs(asked.query)) == (
        "/api/projects/123/persons/",
        {"distinct_id": pseudonyms_of(shop.tenant)},
    )
    assert [each.state for each in forwards()] == [state]


def test_segment_gets_a_regulation(shop: Installation, place: Place) -> None:
    provide(shop, place, ProviderKind.SEGMENT, host=place.address)

    request = erase(shop)
    tell()
    finish(request, after=timedelta(minutes=3))

    [(_, path, headers, body)] = place.calls
    assert (path, headers["Content-Type"]) == ("/regulations", "application/vnd.segment.v1+json")
    assert json.loads(body) == {
        "regulationType": "SUPPRESS_WITH_DELETE",
        "subjectType": "USER_ID",
        "subjectIds": pseudonyms_of(shop.tenant),
    }
    assert [each.state for each in forwards()] == [ForwardState.DONE]
    with tenant_context(ALL):
        providers = Receipt.objects.get().facts["providers"]
    assert providers == [{"kind": "segment", "state": "done", "is_partial": True}]


def test_a_web_hook_gets_a_signed_message(shop: Installation, place: Place) -> None:
    provide(shop, place, ProviderKind.WEBHOOK)

    request = erase(shop)
    tell()

    [(_, _, headers, body)] = place.calls
    message = json.loads(body)
    assert message["origin"]["tenant"] == "acme"
    assert message["erasure"]["erasureId"] == headers["Telemetry-Delivery"] == str(request.public_id)
    assert message["erasure"]["subjects"] == pseudonyms_of(shop.tenant)
    at = int(headers[SIGNATURE_HEADER].split(",")[0].removeprefix("t="))
    assert headers[SIGNATURE_HEADER] == sign(body, "a secret of 25 characters", at=at)


def test_another_studio_gets_a_request_that_is_confirmed(shop: Installation, place: Place) -> None:
    provide(shop, place, ProviderKind.INTERNAL, tenant="acme-there")

    request = erase(shop)
    tell()

    [(_, path, _, body)] = place.calls
    assert path == "/api/v1/erasure-requests"
    assert json.loads(body) == {
        "pseudonyms": pseudonyms_of(shop.tenant),
        "tenants": ["acme-there"],
        "reference": f"studio:{request.public_id}",
        "isConfirmed": True,
    }


def test_who_cannot_be_told_is_named_for_a_person_to_tell(shop: Installation, place: Place) -> None:
    provide(shop, place, ProviderKind.OPENTELEMETRY)
    provide(shop, place, ProviderKind.POSTHOG)

    request = erase(shop)

    assert [each.state for each in forwards()] == [ForwardState.UNSUPPORTED] * 2
    assert request.state == ErasureState.DONE


def test_a_provider_that_fails_is_told_again_and_given_up_after_a_day(shop: Installation, place: Place) -> None:
    provide(shop, place, ProviderKind.WEBHOOK)
    place.answers = {"POST": (503, b"")}
    request = erase(shop)

    tell()
    [first] = forwards()
    assert (first.state, first.attempts, first.status) == (ForwardState.WAITING, 1, 503)
    tell(after=timedelta(hours=1))
    assert forwards()[0].attempts == 2
    tell(after=timedelta(hours=30))
    assert forwards()[0].state == ForwardState.FAILED
    finish(request, after=timedelta(hours=31))
    assert request.state == ErasureState.DONE

    place.answers = {}
    with tenant_context(ALL):
        assert retry_forwards(actor=SYSTEM, request=request) == 1
    tell()
    finish(request, after=timedelta(minutes=3))
    assert (forwards()[0].state, request.state) == (ForwardState.DONE, ErasureState.DONE)


def test_telling_twice_calls_once(shop: Installation, place: Place) -> None:
    provide(shop, place, ProviderKind.WEBHOOK)
    erase(shop)

    tell()
    tell()

    assert len(place.calls) == 1


def test_an_internal_address_is_never_called(shop: Installation, place: Place, settings: Settings) -> None:
    provide(shop, place, ProviderKind.WEBHOOK)
    settings.STUDIO_OUTGOING_ALLOW = []
    erase(shop)

    tell()

    assert place.calls == []
    assert forwards()[0].error == "blocked_address"


def test_an_access_is_checked_and_sealed_and_sealed_anew(shop: Installation, place: Place, settings: Settings) -> None:
    provider = provide(shop, place, ProviderKind.POSTHOG)
    hook = provide(shop, place, ProviderKind.WEBHOOK)

    def give(**given: Any) -> Any:
        with tenant_context(ALL):
            return set_erasure_access(actor=SYSTEM, **{"provider": provider, "credential": "secret", **given})

    for wrong in ({"projectId": "../x"}, {}, {"projectId": "1", "other": "x"}):
        with pytest.raises(InvalidDocument):
            give(settings=wrong)
    with pytest.raises(InvalidDocument):
        give(settings={"projectId": "1", "host": place.address}, credential="two\nlines")
    with pytest.raises(Conflict):
        give(settings={}, provider=hook)
    access = give(settings={"projectId": "1", "host": place.address})

    assert "secret" not in access.sealed
    settings.STUDIO_CREDENTIAL_KEYS = ["a new secret", *settings.STUDIO_CREDENTIAL_KEYS]
    assert reseal_credentials() == (3, 0)
