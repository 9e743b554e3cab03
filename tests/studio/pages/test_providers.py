"""The pages of providers: connected, tried, switched, changed and removed, and what nobody gets to see."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from telemetry.models import DeliveryRecord, ProviderKind, ProviderRecord
from telemetry.services.credentials import open_credential
from telemetry.services.deliveries.delivering import deliver_once
from tenants.context import ALL, tenant_context
from tenants.models import AuditEntry, Installation
from tenants.roles import Role
from tests.sdk.servers import Reply
from tests.studio.visitors import assert_denied, roles_without, text_of, visitor
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_provider, make_published
from tests.telemetry.services.deliveries.receivers import Receiver, receiver

pytestmark = pytest.mark.django_db

LIST = "/studio/providers/"
CREDENTIAL = "canary signing secret 7731"


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
    monkeypatch.setattr("studio.pages.provider_deeds.wake_providers", found.extend)
    return found


def one() -> ProviderRecord:
    with tenant_context(ALL):
        return ProviderRecord.objects.select_related("installation__tenant", "installation__app").get()


def page(provider: ProviderRecord) -> str:
    return f"{LIST}{provider.public_id}/"


def entries(installation: Installation, url: str, **more: Any) -> dict[str, Any]:
    return {
        "installation": installation.pk,
        "kind": "webhook",
        "name": "Orders",
        "address": url,
        "credential": CREDENTIAL,
        "highest_level": "internal",
        **more,
    }


def audited() -> list[tuple[str, str]]:
    with tenant_context(ALL):
        return [
            (each.action, str(each.details))
            for each in AuditEntry.objects.filter(action__startswith="provider.").order_by("id")
        ]


def test_an_empty_list_says_what_the_page_is_for() -> None:
    assert "Events stay here" in text_of(visitor(Role.VIEWER).get(LIST))


def test_an_admin_connects_a_provider_whose_credential_is_sealed_and_shown_nowhere(
    installation: Installation, hook: Receiver
) -> None:
    admin = visitor(Role.ADMIN)

    answer = admin.post(f"{LIST}connect/", entries(installation, hook.url))

    provider = one()
    assert answer.headers["Location"] == page(provider)
    assert (provider.name, provider.kind, provider.settings) == ("Orders", "webhook", {"url": hook.url})
    assert (provider.highest_level, provider.tenant_id) == ("internal", installation.tenant_id)
    assert open_credential(provider) == CREDENTIAL
    assert CREDENTIAL not in provider.sealed
    for address in (LIST, page(provider)):
        assert CREDENTIAL not in admin.get(address).content.decode()
    assert [action for action, _ in audited()] == ["provider.connected"]
    assert CREDENTIAL not in str(audited())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"address": "https://127.0.0.1/"}, "leads into an internal network"),
        ({"address": "https://2130706433/"}, "must name its host"),
        ({"address": "http://hooks.example.com/"}, "must begin with https://"),
        ({"address": "https://localhost/"}, "leads into an internal network"),
        ({"address": "https://user:pw@hooks.example.com/"}, "must not carry a user"),
        ({"address": ""}, "must be texts"),
        ({"credential": ""}, "is required"),
        ({"credential": "short"}, "must have at least 16 characters"),
        ({"credential": "a secret with a break\r\nX-Evil: 1"}, "visible ASCII"),
        ({"kind": "telegraph"}, "not one of the available choices"),
        ({"name": ""}, "required"),
    ],
)
def test_what_must_not_be_is_refused_beside_its_field(
    installation: Installation, changed: dict[str, str], said: str
) -> None:
    answer = visitor(Role.ADMIN).post(f"{LIST}connect/", entries(installation, "https://93.184.215.14/", **changed))

    assert answer.status_code == 200
    assert said.lower() in text_of(answer).lower()
    with tenant_context(ALL):
        assert not ProviderRecord.objects.exists()


def test_without_keys_of_the_operators_no_credential_is_kept(
    installation: Installation, hook: Receiver, settings: Settings
) -> None:
    settings.STUDIO_CREDENTIAL_KEYS = []

    answer = visitor(Role.ADMIN).post(f"{LIST}connect/", entries(installation, hook.url))

    assert "STUDIO_CREDENTIAL_KEYS" in text_of(answer)


def test_two_providers_of_an_installation_need_two_names(installation: Installation, hook: Receiver) -> None:
    make_provider(installation, name="Orders")

    answer = visitor(Role.ADMIN).post(f"{LIST}connect/", entries(installation, hook.url))

    assert "has a provider named" in text_of(answer)


@pytest.mark.parametrize("role", roles_without("provider.manage"))
def test_others_connect_change_and_remove_nothing(installation: Installation, role: Role) -> None:
    provider = make_provider(installation)
    someone = visitor(role)

    calls: dict[str, dict[str, Any]] = {
        f"{LIST}connect/": entries(installation, "https://hooks.example.com/"),
        page(provider): {"address": "https://hooks.example.com/", "highest_level": "pii"},
        f"{page(provider)}remove/": {},
    }
    for address, data in calls.items():
        assert_denied("provider.manage", partial(someone.post, address, data))


@pytest.mark.parametrize("role", roles_without("provider.operate"))
def test_others_try_switch_and_resend_nothing(installation: Installation, role: Role) -> None:
    provider = make_provider(installation)

    someone = visitor(role)

    for deed in ("try", "switch", "resend", "resend/1"):
        assert_denied("provider.operate", partial(someone.post, f"{page(provider)}{deed}/"))


def test_another_tenants_provider_is_not_there(installation: Installation) -> None:
    provider = make_provider(make_installation("globex"), name="Globex orders")
    stranger = visitor(Role.ADMIN, tenant=installation.tenant)

    assert provider.name not in text_of(stranger.get(LIST))
    for address in (page(provider), f"{page(provider)}remove/", f"{page(provider)}resend/"):
        assert stranger.get(address).status_code == 404
    for deed in ("try", "switch", "resend/1"):
        assert stranger.post(f"{page(provider)}{deed}/").status_code == 404


def test_a_test_event_says_how_it_went(installation: Installation, hook: Receiver) -> None:
    provider = make_provider(installation, hook.url)
    admin = visitor(Role.PUBLISHER)

    admin.post(f"{page(provider)}try/")
    assert "took the event telemetry.connection_test" in text_of(admin.get(page(provider)))
    hook.always = Reply(401, b"CANARY of the other side")
    admin.post(f"{page(provider)}try/")

    text = text_of(admin.get(page(provider)))
    assert "It answered with status 401" in text
    assert "CANARY" not in text
    assert one().delivered == 0


def test_a_provider_is_switched_off_and_on_again(installation: Installation, woken: list[int]) -> None:
    provider = make_provider(installation)
    publisher = visitor(Role.PUBLISHER)

    publisher.post(f"{page(provider)}switch/")
    assert one().is_enabled is False
    publisher.post(f"{page(provider)}switch/")

    assert one().is_enabled is True
    assert [action for action, _ in audited()] == ["provider.switched_off", "provider.switched_on"]


def test_settings_are_changed_and_the_credential_is_kept_for_the_same_address_only(
    installation: Installation, hook: Receiver
) -> None:
    provider = make_provider(installation, hook.url, credential=CREDENTIAL)
    admin = visitor(Role.ADMIN)

    admin.post(page(provider), {"address": hook.url, "highest_level": "public"})
    assert (one().highest_level, open_credential(one())) == ("public", CREDENTIAL)
    refused = admin.post(page(provider), {"address": f"{hook.url}/elsewhere", "highest_level": "public"})
    assert "Must be entered again" in text_of(refused)
    admin.post(
        page(provider),
        {"address": f"{hook.url}/elsewhere", "highest_level": "public", "credential": "another secret of mine"},
    )

    assert one().settings == {"url": f"{hook.url}/elsewhere"}
    assert open_credential(one()) == "another secret of mine"


def test_dead_letters_are_shown_and_sent_again(installation: Installation, hook: Receiver) -> None:
    provider = make_provider(installation, hook.url)
    hook.always = Reply(400)
    ingest(installation, make_incoming())
    deliver_once(provider.pk)
    publisher = visitor(Role.PUBLISHER)

    text = text_of(publisher.get(page(provider)))
    assert "It answered with status 400" in text
    hook.always = None
    publisher.post(f"{page(provider)}resend/")
    deliver_once(provider.pk)

    assert sum(hook.events.values()) == 1
    with tenant_context(ALL):
        assert DeliveryRecord.objects.get().state == "delivered"
    assert "Nothing was given up" in text_of(publisher.get(page(provider)))


def test_one_dead_letter_is_sent_again_and_the_others_stay(installation: Installation, hook: Receiver) -> None:
    provider = make_provider(installation, hook.url)
    ingest(installation, make_incoming())
    ingest(installation, make_incoming())
    with tenant_context(ALL):
        DeliveryRecord.objects.update(state="dead", settled_at=timezone.now(), error="answered", status=400)
        first, second = DeliveryRecord.objects.filter(state="dead").order_by("id")
    publisher = visitor(Role.PUBLISHER)
    address = f"{page(provider)}resend/{first.pk}/"
    assert address in publisher.get(page(provider)).content.decode()

    publisher.post(address)
    again = publisher.post(address)

    with tenant_context(ALL):
        states = dict(DeliveryRecord.objects.values_list("pk", "state"))
    assert states == {first.pk: "waiting", second.pk: "dead"}
    assert again.headers["Location"] == page(provider)
    assert "That is no dead letter any more." in text_of(publisher.get(page(provider)))


def test_a_provider_is_removed_with_all_that_waits(installation: Installation) -> None:
    provider = make_provider(installation)
    ingest(installation, make_incoming())
    admin = visitor(Role.ADMIN)

    assert "gone for good" in text_of(admin.get(f"{page(provider)}remove/"))
    admin.post(f"{page(provider)}remove/")

    with tenant_context(ALL):
        assert not ProviderRecord.objects.exists()
        assert not DeliveryRecord.objects.exists()
    assert audited()[0][0] == "provider.removed"


def test_the_list_costs_the_same_for_many_providers(installation: Installation) -> None:
    viewer = visitor(Role.VIEWER)
    make_provider(installation, name="first")
    few = viewer.cost_of(LIST)
    for number in range(10):
        make_provider(installation, name=f"hook {number}", kind=ProviderKind.SEGMENT)

    assert viewer.cost_of(LIST) == few
