"""Providers over HTTP: connected with a login, listed without their credential, dead letters sent again."""

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from telemetry.models import DeliveryRecord, ProviderRecord
from telemetry.services.credentials import open_credential
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Role
from tests.studio.api.calls import Caller, caller_with_role, code_of, cost_of, signed_in
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_provider, make_published
from tests.tenants.factories import make_membership, make_user

pytestmark = pytest.mark.django_db

PATH = "/api/v1/providers"
CREDENTIAL = "canary signing secret 7731"


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


def logged_in(role: Role, installation: Installation) -> Caller:
    user = make_user()
    make_membership(user, role, installation.tenant)
    return signed_in(user)


def body(installation: Installation, **more: Any) -> dict[str, Any]:
    fields = {"name": "Orders", "kind": "webhook", "settings": {"url": "https://93.184.215.14/"}}
    return {"installation": str(installation.public_id), **fields, "credential": CREDENTIAL, **more}


def test_a_provider_is_connected_and_its_credential_never_comes_back(installation: Installation) -> None:
    admin = logged_in(Role.ADMIN, installation)

    answer = admin.post(PATH, body(installation))

    assert answer.status_code == 201
    created = answer.json()
    assert (created["name"], created["kind"], created["hasCredential"]) == ("Orders", "webhook", True)
    with tenant_context(ALL):
        assert open_credential(ProviderRecord.objects.get()) == CREDENTIAL
    for path in (PATH, f"{PATH}/{created['id']}"):
        shown = admin.get(path)
        assert shown.status_code == 200
        assert CREDENTIAL not in shown.content.decode()


def test_a_key_connects_nothing_not_even_an_admins(installation: Installation) -> None:
    answer = caller_with_role(Role.ADMIN, installation.tenant).post(PATH, body(installation))

    assert (answer.status_code, code_of(answer)) == (403, "not_allowed")
    with tenant_context(ALL):
        assert not ProviderRecord.objects.exists()


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"settings": {"url": "https://169.254.169.254/"}}, "settings.url"),
        ({"settings": {"url": "http://93.184.215.14/"}}, "settings.url"),
        ({"settings": {"nope": "x"}}, "settings"),
        ({"credential": ""}, "credential"),
        ({"kind": "telegraph"}, "kind"),
    ],
)
def test_what_must_not_be_is_refused_by_its_place(
    installation: Installation, changed: dict[str, Any], path: str
) -> None:
    answer = logged_in(Role.ADMIN, installation).post(PATH, body(installation, **changed))

    assert answer.status_code == 400
    assert [error["path"] for error in answer.json()["errors"]] == [path]


def test_another_tenants_provider_is_not_found(installation: Installation) -> None:
    theirs = make_provider(make_installation("globex"))
    stranger = caller_with_role(Role.ADMIN, installation.tenant)

    assert stranger.get(PATH).json()["items"] == []
    for path in ("", "/deliveries"):
        assert stranger.get(f"{PATH}/{theirs.public_id}{path}").status_code == 404
    assert stranger.post(f"{PATH}/{theirs.public_id}/resend", {}).status_code == 404


def test_dead_letters_are_listed_and_sent_again(installation: Installation, settings: Settings) -> None:
    provider = make_provider(installation)
    event = make_incoming()
    ingest(installation, event)
    with tenant_context(ALL):
        DeliveryRecord.objects.update(state="dead", settled_at=timezone.now(), error="answered", status=400)
    publisher = caller_with_role(Role.PUBLISHER, installation.tenant)

    [dead] = publisher.get(f"{PATH}/{provider.public_id}/deliveries").json()["items"]
    assert event.envelope is not None
    assert (dead["state"], dead["events"], dead["status"]) == ("dead", [event.envelope.id], 400)
    viewer = caller_with_role(Role.VIEWER, installation.tenant)
    assert viewer.post(f"{PATH}/{provider.public_id}/resend", {}).status_code == 403
    answer = publisher.post(f"{PATH}/{provider.public_id}/resend", {"delivery": dead["id"]})

    assert answer.json() == {"deliveries": 1}
    waiting = publisher.get(f"{PATH}/{provider.public_id}/deliveries", {"state": "waiting"}).json()
    assert waiting["total"] == 1
    assert publisher.post(f"{PATH}/{provider.public_id}/resend", {}).json() == {"deliveries": 0}


def test_the_list_costs_the_same_for_many_providers(installation: Installation) -> None:
    viewer = caller_with_role(Role.VIEWER, installation.tenant)
    make_provider(installation, name="first")
    few = cost_of(viewer, PATH)
    for number in range(10):
        make_provider(installation, name=f"hook {number}")

    assert cost_of(viewer, PATH) == few
