"""Channels and routes: who may open them, what they refuse, what is kept of where they lead."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from telemetry.core.enums import Environment
from telemetry.core.errors import Conflict, InvalidDocument, NotAllowed
from telemetry.models import AlertChannel, AlertRoute, ChannelKind, Notification
from telemetry.services.alerts.channels import (
    TESTS_PER_HOUR,
    ChannelSettings,
    change_channel,
    mute_channel,
    open_channel,
    remove_channel,
    switch_channel,
    try_channel,
)
from telemetry.services.alerts.destinations import Destination, open_destination, reseal_destinations
from telemetry.services.alerts.routes import Conditions, add_route, change_route, remove_route
from tenants.actors import SYSTEM, Actor
from tenants.context import ALL, tenant_context
from tenants.models import AuditEntry, Tenant
from tenants.roles import Role
from tenants.sealing import BrokenSeal
from tests.sdk.servers import Reply, scripted_server
from tests.telemetry.factories import everything_stored, make_channel, make_installation, make_published
from tests.telemetry.services.alerts.cases import told
from tests.tenants.factories import make_actor, make_tenant

pytestmark = pytest.mark.django_db

SECRET = "canary signing secret 7731"
URL = "https://hooks.example.com/T0/canary"
PUBLIC = ("93.184.215.14",)


def answering(*answers: str) -> Callable[[str], Sequence[str]]:
    return lambda _host: answers


def opened(tenant: Tenant, actor: Actor = SYSTEM, **more: Any) -> AlertChannel:
    fields: dict[str, Any] = {
        "name": "On call",
        "kind": ChannelKind.WEBHOOK,
        "destination": Destination(url=URL, secret=SECRET),
        "resolver": answering(*PUBLIC),
    }
    with tenant_context(ALL):
        return open_channel(actor=actor, tenant=tenant, **{**fields, **more})


def fresh(channel: AlertChannel) -> AlertChannel:
    with tenant_context(ALL):
        return AlertChannel.objects.get(pk=channel.pk)


def audited() -> list[str]:
    with tenant_context(ALL):
        return [
            f"{row.action} {row.details}"
            for row in AuditEntry.objects.filter(action__startswith="alert").order_by("id")
        ]


def test_where_a_channel_leads_is_sealed_and_stands_nowhere_else() -> None:
    channel = opened(make_tenant())

    found = fresh(channel)
    assert open_destination(found) == Destination(url=URL, secret=SECRET)
    assert found.place == "hooks.example.com"
    stored = str(everything_stored())
    assert SECRET not in stored
    assert "canary" not in stored
    assert "canary" not in repr(open_destination(found))


def test_addresses_of_mail_are_sealed_and_shown_as_a_number() -> None:
    people = Destination(addresses=("canary@acme.example", " bo@acme.example ", "canary@acme.example"))

    channel = opened(make_tenant(), kind=ChannelKind.EMAIL, destination=people)

    assert channel.place == "2 addresses at acme.example"
    assert open_destination(channel).addresses == ("canary@acme.example", "bo@acme.example")
    assert "canary" not in str(everything_stored())


def test_the_first_channel_of_a_tenant_takes_every_incident_and_the_next_one_none() -> None:
    tenant = make_tenant()

    first, second = opened(tenant), opened(tenant, name="Another")

    with tenant_context(ALL):
        assert [(route.channel_id, route.is_fallback) for route in AlertRoute.objects.all()] == [(first.pk, True)]
    with pytest.raises(Conflict, match="On call"):
        opened(tenant)
    assert second.pk != first.pk
    assert [each.split()[0] for each in audited()] == ["alert_channel.opened"] * 2
    assert "canary" not in str(audited())


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://①②⑦.0.0.1/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://169.254.169.254/latest/meta-data/",
        "http://hooks.example.com/",
        "https://hooks.example.com:8443/",
        "file:///etc/passwd",
        "gopher://hooks.example.com/",
        "https://user:pw@hooks.example.com/",
        "https://evil.example#@hooks.example.com/",
        "https://hooks.example.com/\r\nX-Evil: 1",
        "https://hooks.example.com\\@evil.example/",
        "",
    ],
)
@pytest.mark.parametrize("kind", [ChannelKind.WEBHOOK, ChannelKind.SLACK])
def test_an_address_that_must_not_be_called_is_refused_when_it_is_saved(url: str, kind: ChannelKind) -> None:
    tenant = make_tenant()

    with pytest.raises(InvalidDocument) as refused:
        opened(tenant, kind=kind, destination=Destination(url=url, secret=SECRET))

    assert [error.path for error in refused.value.errors] == ["url"]
    with tenant_context(ALL):
        assert not AlertChannel.objects.exists()


@pytest.mark.parametrize("answers", [("127.0.0.1",), ("93.184.215.14", "10.0.0.1"), ()])
def test_a_name_that_leads_inside_is_refused(answers: tuple[str, ...]) -> None:
    with pytest.raises(InvalidDocument, match=r"internal network|cannot be found"):
        opened(make_tenant(), resolver=answering(*answers))


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"name": " "}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"destination": Destination(url=URL, secret="short")}, "secret"),
        ({"destination": Destination(url=URL, secret="a secret with a break\r\n")}, "secret"),
        ({"kind": ChannelKind.EMAIL, "destination": Destination()}, "addresses"),
        ({"kind": ChannelKind.EMAIL, "destination": Destination(addresses=("canary",))}, "addresses"),
        (
            {"kind": ChannelKind.EMAIL, "destination": Destination(addresses=("a@b.example\r\nBcc: c@d.example",))},
            "addresses",
        ),
        ({"kind": ChannelKind.EMAIL, "destination": Destination(addresses=("Ana <a@b.example>",))}, "addresses"),
        (
            {
                "kind": ChannelKind.EMAIL,
                "destination": Destination(addresses=tuple(f"{n}@b.example" for n in range(21))),
            },
            "addresses",
        ),
        ({"settings": ChannelSettings(quiet_minutes=1441)}, "quietMinutes"),
        ({"settings": ChannelSettings(most_per_hour=0)}, "mostPerHour"),
        ({"settings": ChannelSettings(pace="monthly")}, "pace"),
        ({"settings": ChannelSettings(digest_hour=24)}, "digestHour"),
        ({"settings": ChannelSettings(subject="{secret}")}, "subject"),
    ],
)
def test_what_must_not_be_is_refused_by_its_place_and_not_repeated(more: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidDocument) as refused:
        opened(make_tenant(), **more)

    assert [error.path for error in refused.value.errors] == [path]
    assert "canary" not in str(refused.value)


def test_without_a_mail_server_or_a_key_the_operators_are_named(settings: Settings) -> None:
    tenant = make_tenant()
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    with pytest.raises(InvalidDocument, match="EMAIL_URL"):
        opened(tenant, kind=ChannelKind.EMAIL, destination=Destination(addresses=("a@b.example",)))

    settings.STUDIO_CREDENTIAL_KEYS = []
    with pytest.raises(InvalidDocument, match="STUDIO_CREDENTIAL_KEYS"):
        opened(tenant)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST, Role.PRIVACY_OFFICER, Role.PUBLISHER])
def test_only_admins_of_the_tenant_say_who_is_told(role: Role) -> None:
    tenant = make_tenant()
    channel = make_channel(tenant)
    actor = make_actor(role, tenant)
    before = everything_stored()

    for deed in (
        lambda: opened(tenant, actor),
        lambda: change_channel(actor=actor, channel=channel, settings=ChannelSettings()),
        lambda: remove_channel(actor=actor, channel=channel),
        lambda: add_route(actor=actor, channel=channel, conditions=Conditions()),
    ):
        with tenant_context(ALL), pytest.raises(NotAllowed):
            deed()

    assert everything_stored() == before


@pytest.mark.parametrize(("role", "may"), [(Role.VIEWER, False), (Role.ANALYST, False), (Role.PUBLISHER, True)])
def test_publishers_mute_switch_and_try(role: Role, may: bool) -> None:
    tenant = make_tenant()
    channel = make_channel(tenant)
    actor = make_actor(role, tenant)

    for deed in (
        lambda: mute_channel(actor=actor, channel=channel, until=datetime.now(UTC) + timedelta(hours=1)),
        lambda: mute_channel(actor=actor, channel=channel, until=None),
        lambda: switch_channel(actor=actor, channel=channel, is_enabled=False),
        lambda: try_channel(actor=actor, channel=channel),
    ):
        with tenant_context(ALL):
            if may:
                deed()
            else:
                with pytest.raises(NotAllowed):
                    deed()


@pytest.mark.parametrize("by", [timedelta(0), timedelta(days=31)])
def test_a_mute_ends_within_a_month(by: timedelta) -> None:
    channel = make_channel(make_tenant())

    with tenant_context(ALL), pytest.raises(InvalidDocument, match="must be ahead"):
        mute_channel(actor=SYSTEM, channel=channel, until=datetime.now(UTC) + by)


def test_a_changed_channel_keeps_its_destination_unless_another_is_given() -> None:
    channel = opened(make_tenant())
    with tenant_context(ALL):
        change_channel(actor=SYSTEM, channel=channel, settings=ChannelSettings(subject="{event}", pace="daily"))
        assert open_destination(fresh(channel)).url == URL
        moved = Destination(url="https://other.example.com/", secret=SECRET)
        change_channel(
            actor=SYSTEM,
            channel=channel,
            settings=ChannelSettings(),
            destination=moved,
            resolver=answering(*PUBLIC),
        )

    found = fresh(channel)
    assert (found.subject, found.pace, found.place) == ("", "at_once", "other.example.com")
    assert open_destination(found) == moved


def test_a_test_is_sent_at_once_even_if_the_channel_is_muted_and_its_outcome_stays(settings: Settings) -> None:
    settings.STUDIO_OUTGOING_ALLOW = ["127.0.0.1"]
    with scripted_server() as server:
        channel = make_channel(
            make_tenant(), server.url, muted_until=datetime.now(UTC) + timedelta(hours=1), name="canary"
        )
        with tenant_context(ALL):
            taken = try_channel(actor=SYSTEM, channel=channel)
        server.always(Reply(403))
        with tenant_context(ALL):
            refused = try_channel(actor=SYSTEM, channel=channel)

    assert (taken.trouble, refused.error, refused.status) == (None, "answered", 403)
    assert b"This is a test of the channel canary." in server.asked[0].body
    assert told() == [("test", "delivered", ""), ("test", "dead", "")]
    assert [each.split(" ", 1)[1] for each in audited()] == [
        "{'status': None, 'outcome': 'taken'}",
        "{'status': 403, 'outcome': 'answered'}",
    ]


def test_a_test_while_a_worker_is_at_the_channel_waits_its_turn() -> None:
    channel = make_channel(make_tenant(), leased_until=datetime.now(UTC) + timedelta(minutes=1))

    with tenant_context(ALL):
        assert try_channel(actor=SYSTEM, channel=channel).error == "busy"

    assert told() == [("test", "waiting", "")]


def test_tests_are_limited_for_the_sake_of_who_gets_them() -> None:
    channel = make_channel(make_tenant(), leased_until=datetime.now(UTC) + timedelta(minutes=1))

    with tenant_context(ALL):
        for _ in range(TESTS_PER_HOUR):
            try_channel(actor=SYSTEM, channel=channel)
        with pytest.raises(Conflict, match="20 tests within an hour"):
            try_channel(actor=SYSTEM, channel=channel)

    assert len(told()) == TESTS_PER_HOUR


def test_a_removed_channel_takes_its_routes_and_notifications_with_it() -> None:
    channel = make_channel(make_tenant())
    with tenant_context(ALL):
        Notification.objects.create(tenant_id=channel.tenant_id, channel=channel, kind="test")

        assert remove_channel(actor=SYSTEM, channel=channel) == 1
        assert not AlertChannel.objects.exists()
        assert not AlertRoute.objects.exists()
        assert not Notification.objects.exists()


def test_destinations_are_sealed_anew_under_the_newest_key(settings: Settings) -> None:
    channel, lost = opened(make_tenant()), opened(make_tenant())
    old = settings.STUDIO_CREDENTIAL_KEYS
    with tenant_context(ALL):
        AlertChannel.objects.filter(pk=lost.pk).update(sealed=channel.sealed)
    settings.STUDIO_CREDENTIAL_KEYS = ["another key " * 10, *old]

    assert reseal_destinations() == (1, 1)

    settings.STUDIO_CREDENTIAL_KEYS = settings.STUDIO_CREDENTIAL_KEYS[:1]
    assert open_destination(fresh(channel)).url == URL
    with pytest.raises(BrokenSeal):
        open_destination(fresh(lost))


def test_routes_are_added_changed_and_removed_with_a_trace() -> None:
    make_published()
    installation = make_installation()
    channel = make_channel(installation.tenant, is_fallback=False)
    with tenant_context(ALL):
        route = add_route(actor=SYSTEM, channel=channel, conditions=Conditions(event="sigil.*"))
        changed = Conditions(installation=installation, environment=Environment.PRODUCTION)
        change_route(actor=SYSTEM, route=route, channel=channel, conditions=changed)
        assert (route.event, route.environment, route.installation_id) == ("", "production", installation.pk)
        remove_route(actor=SYSTEM, route=route)
        assert not AlertRoute.objects.exists()

    assert [each.split()[0] for each in audited()] == [
        "alert_route.added",
        "alert_route.changed",
        "alert_route.removed",
    ]


def test_routes_refuse_what_no_incident_of_the_tenant_can_be() -> None:
    make_published()
    mine, theirs = make_installation("acme"), make_installation("globex")
    channel, other = make_channel(mine.tenant), make_channel(theirs.tenant)
    refused: dict[str, Conditions] = {
        "isFallback": Conditions(is_fallback=True, event="a"),
        "installation": Conditions(installation=theirs),
        "event": Conditions(event="*a"),
        "rule": Conditions(rule="a\x00"),
    }

    for path, conditions in refused.items():
        with tenant_context(ALL), pytest.raises(InvalidDocument) as error:
            add_route(actor=SYSTEM, channel=channel, conditions=conditions)
        assert [each.path for each in error.value.errors] == [path]
    with tenant_context(ALL):
        route = add_route(actor=SYSTEM, channel=channel, conditions=Conditions())
        with pytest.raises(InvalidDocument, match="same tenant"):
            change_route(actor=SYSTEM, route=route, channel=other, conditions=Conditions())
