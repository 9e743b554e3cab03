"""Providers over HTTP: managed with a login, listed without credentials, tried, switched, dead letters sent again."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from telemetry.models import DeliveryRecord, ProviderRecord
from telemetry.services.credentials import open_credential
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Role
from tests.sdk.servers import Reply
from tests.studio.api.calls import Caller, caller_with_role, code_of, cost_of, signed_in
from tests.studio.visitors import roles_without
from tests.telemetry.factories import (
    everything_stored,
    ingest,
    make_incoming,
    make_installation,
    make_provider,
    make_published,
)
from tests.telemetry.services.deliveries.receivers import Receiver, receiver
from tests.tenants.factories import make_membership, make_user

pytestmark = pytest.mark.django_db

PATH = "/api/v1/providers"
CREDENTIAL = "canary signing secret 7731"
CHANGE = {"settings": {"url": "https://93.184.215.14/elsewhere"}, "highestLevel": "pii", "credential": CREDENTIAL}
DEEDS: dict[str, dict[str, Any]] = {"try": {}, "switch": {"isEnabled": False}, "resend": {}, "remove": {}}


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


@pytest.fixture
def hook(settings: Settings) -> Iterator[Receiver]:
    settings.STUDIO_OUTGOING_ALLOW = ["127.0.0.1"]
    with receiver() as found:
        yield found


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The providers for which a worker was woken: there is no broker here."""
    found: list[int] = []
    monkeypatch.setattr("studio.api.v1.providers.views.wake_providers", found.extend)
    return found


def one() -> ProviderRecord:
    with tenant_context(ALL):
        return ProviderRecord.objects.select_related("installation__tenant", "installation__app").get()


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

    admin = logged_in(Role.ADMIN, installation)
    assert stranger.get(PATH).json()["items"] == []
    before = everything_stored()

    place = {"installation": str(theirs.installation.public_id)}
    assert stranger.get(PATH, place).status_code == 404
    for path in ("", "/deliveries", "/deliveries/1"):
        assert stranger.get(f"{PATH}/{theirs.public_id}{path}").status_code == 404
    for deed, given in DEEDS.items():
        assert admin.post(f"{PATH}/{theirs.public_id}/{deed}", given).status_code == 404
    assert admin.put(f"{PATH}/{theirs.public_id}", CHANGE).status_code == 404
    assert everything_stored() == before


@pytest.mark.parametrize("role", roles_without("provider.operate"))
def test_others_try_switch_and_resend_nothing(installation: Installation, role: Role) -> None:
    provider = make_provider(installation)
    someone = logged_in(role, installation)

    for deed in ("try", "switch", "resend"):
        answer = someone.post(f"{PATH}/{provider.public_id}/{deed}", DEEDS[deed])
        assert (answer.status_code, code_of(answer)) == (403, "not_allowed")
    assert one().is_enabled


@pytest.mark.parametrize("role", roles_without("provider.manage"))
def test_others_change_and_remove_nothing(installation: Installation, role: Role) -> None:
    provider = make_provider(installation)
    someone, path = logged_in(role, installation), f"{PATH}/{provider.public_id}"

    for call in (partial(someone.put, path, CHANGE), partial(someone.post, f"{path}/remove", {})):
        answer = call()
        assert (answer.status_code, code_of(answer)) == (403, "not_allowed")
    assert one().settings == provider.settings


def test_a_key_changes_and_removes_nothing_not_even_an_admins(installation: Installation) -> None:
    provider = make_provider(installation)
    key, path = caller_with_role(Role.ADMIN, installation.tenant), f"{PATH}/{provider.public_id}"

    assert key.put(path, CHANGE).status_code == 403
    assert key.post(f"{path}/remove", {}).status_code == 403
    assert one().settings == provider.settings


def test_a_provider_is_changed_and_keeps_its_credential_for_the_same_address_only(
    installation: Installation, woken: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    provider = make_provider(installation, "https://93.184.215.14/", credential=CREDENTIAL)
    admin, path = logged_in(Role.ADMIN, installation), f"{PATH}/{provider.public_id}"

    with django_capture_on_commit_callbacks(execute=True):
        changed = admin.put(path, {"settings": {"url": "https://93.184.215.14/"}, "highestLevel": "public"})
    elsewhere = {"settings": {"url": "https://93.184.215.14/elsewhere"}, "highestLevel": "public"}
    refused = admin.put(path, elsewhere)
    moved = admin.put(path, {**elsewhere, "credential": "another secret of mine"})

    assert (changed.status_code, changed.json()["highestLevel"], woken) == (200, "public", [provider.pk])
    assert [error["path"] for error in refused.json()["errors"]] == ["credential"]
    assert (moved.status_code, moved.json()["settings"]) == (200, {"url": "https://93.184.215.14/elsewhere"})
    assert "another secret of mine" not in moved.content.decode()
    assert open_credential(one()) == "another secret of mine"


def test_a_provider_is_switched_off_and_on_and_twice_is_as_once(installation: Installation) -> None:
    provider = make_provider(installation)
    publisher, path = caller_with_role(Role.PUBLISHER, installation.tenant), f"{PATH}/{provider.public_id}/switch"

    states = [publisher.post(path, {"isEnabled": wish}).json()["isEnabled"] for wish in (False, False, True)]

    assert states == [False, False, True]


def test_a_trial_says_how_it_went_and_nothing_that_was_answered(installation: Installation, hook: Receiver) -> None:
    provider = make_provider(installation, hook.url)
    publisher, path = caller_with_role(Role.PUBLISHER, installation.tenant), f"{PATH}/{provider.public_id}/try"

    taken = publisher.post(path, {})
    hook.always = Reply(401, b"CANARY of the other side")
    refused = publisher.post(path, {})

    assert taken.json() == {"isTaken": True, "error": "", "status": None}
    assert refused.json() == {"isTaken": False, "error": "answered", "status": 401}
    assert one().delivered == 0


def test_a_provider_is_removed_and_says_how_much_still_waited(installation: Installation) -> None:
    provider = make_provider(installation)
    ingest(installation, make_incoming(), make_incoming())
    admin = logged_in(Role.ADMIN, installation)

    shown = admin.get(f"{PATH}/{provider.public_id}").json()
    answer = admin.post(f"{PATH}/{provider.public_id}/remove", {})

    assert (shown["waiting"], shown["deadLetters"], shown["waitingSince"] is None) == (2, 0, False)
    assert answer.json() == {"waiting": 2}
    with tenant_context(ALL):
        assert not ProviderRecord.objects.exists()
        assert not DeliveryRecord.objects.exists()
    assert admin.get(f"{PATH}/{provider.public_id}").status_code == 404


def test_the_list_can_be_that_of_one_installation(installation: Installation) -> None:
    make_provider(installation, name="here")
    make_provider(make_installation("globex"), name="there")
    viewer = caller_with_role(Role.VIEWER)

    found = viewer.get(PATH, {"installation": str(installation.public_id)}).json()

    assert ([item["name"] for item in found["items"]], found["total"]) == (["here"], 1)
    assert viewer.get(PATH).json()["total"] == 2


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
    alone = publisher.get(f"{PATH}/{provider.public_id}/deliveries/{dead['id']}")
    assert (alone.status_code, alone.json()) == (200, dead)
    assert publisher.get(f"{PATH}/{provider.public_id}/deliveries/{10**17}").status_code == 404
    assert publisher.get(f"{PATH}/{provider.public_id}").json()["deadLetters"] == 1
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
