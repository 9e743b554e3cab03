"""Alert channels and routes over HTTP: opened with a login, shown without where they lead, tried, muted, removed."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from telemetry.models import AlertChannel, AlertRoute, Notification
from telemetry.services.alerts.destinations import open_destination
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Role
from tests.sdk.servers import Reply, scripted_server
from tests.studio.api.calls import Caller, caller_with_role, code_of, cost_of, signed_in
from tests.telemetry.factories import make_channel, make_installation, make_published
from tests.telemetry.services.alerts.cases import Case
from tests.tenants.factories import make_membership, make_user

pytestmark = pytest.mark.django_db

CHANNELS = "/api/v1/alert-channels"
ROUTES = "/api/v1/alert-routes"
SECRET = "canary signing secret 7731"
URL = "https://93.184.215.14/canary"


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


def logged_in(role: Role, installation: Installation) -> Caller:
    user = make_user()
    make_membership(user, role, installation.tenant)
    return signed_in(user)


def body(**more: Any) -> dict[str, Any]:
    destination = {"url": URL, "secret": SECRET}
    return {"tenant": "acme", "name": "On call", "kind": "webhook", "destination": destination, **more}


def path(channel: AlertChannel, deed: str = "") -> str:
    return f"{CHANNELS}/{channel.public_id}{deed}"


def test_a_channel_is_opened_and_where_it_leads_never_comes_back(installation: Installation) -> None:
    admin = logged_in(Role.ADMIN, installation)

    answer = admin.post(CHANNELS, body(quietMinutes=5, pace="hourly"))

    assert answer.status_code == 201
    created = answer.json()
    assert (created["name"], created["place"], created["quietMinutes"]) == ("On call", "93.184.215.14", 5)
    with tenant_context(ALL):
        assert open_destination(AlertChannel.objects.get()).secret == SECRET
    for address in (CHANNELS, f"{CHANNELS}/{created['id']}"):
        assert "canary" not in admin.get(address).content.decode()
    assert admin.post(CHANNELS, body()).status_code == 409


def test_a_key_opens_nothing_not_even_an_admins(installation: Installation) -> None:
    answer = caller_with_role(Role.ADMIN, installation.tenant).post(CHANNELS, body())

    assert (answer.status_code, code_of(answer)) == (403, "not_allowed")


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"destination": {"url": "https://169.254.169.254/", "secret": SECRET}}, "url"),
        ({"destination": {"url": URL, "secret": "short"}}, "secret"),
        ({"kind": "email", "destination": {"addresses": ["canary"]}}, "addresses"),
        ({"kind": "pigeon"}, "kind"),
        ({"subject": "{canary}"}, "subject"),
        ({"mostPerHour": 0}, "mostPerHour"),
    ],
)
def test_what_must_not_be_is_refused_by_its_place(installation: Installation, more: dict[str, Any], place: str) -> None:
    answer = logged_in(Role.ADMIN, installation).post(CHANNELS, body(**more))

    assert answer.status_code == 400
    assert [error["path"] for error in answer.json()["errors"]] == [place]
    assert "canary" not in answer.content.decode()


def test_templates_are_previewed(installation: Installation) -> None:
    viewer = caller_with_role(Role.VIEWER, installation.tenant)

    shown = viewer.post(f"{CHANNELS}/preview", {"subject": "{state}: {event}", "body": "{side}"})
    refused = viewer.post(f"{CHANNELS}/preview", {"subject": "{nothing}"})

    assert shown.json() == {"subject": "opened: sigil.telemetry.workflow_step", "text": "high\n"}
    assert [error["path"] for error in refused.json()["errors"]] == ["subject"]


def test_settings_are_changed_and_the_destination_stays_unless_given(installation: Installation) -> None:
    channel = make_channel(installation.tenant, "https://hooks.example.com/kept")
    admin = logged_in(Role.ADMIN, installation)

    kept = admin.put(path(channel), {"pace": "daily", "digestHour": 5})
    moved = admin.put(path(channel), {"destination": {"url": URL, "secret": SECRET}})

    assert (kept.json()["pace"], kept.json()["place"]) == ("daily", "hooks.example.com")
    assert (moved.json()["pace"], moved.json()["place"]) == ("at_once", "93.184.215.14")


def test_a_publisher_tries_mutes_switches_and_sends_again(installation: Installation, settings: Settings) -> None:
    settings.STUDIO_OUTGOING_ALLOW = ["127.0.0.1"]
    publisher = caller_with_role(Role.PUBLISHER, installation.tenant)
    with scripted_server() as server:
        channel = make_channel(installation.tenant, server.url)
        assert publisher.post(path(channel, "/try"), {}).json() == {"outcome": "taken", "status": None}
        server.always(Reply(403))
        assert publisher.post(path(channel, "/try"), {}).json() == {"outcome": "answered", "status": 403}

    until = timezone.now() + timedelta(hours=1)
    assert publisher.post(path(channel, "/mute"), {"until": until.isoformat()}).json()["mutedUntil"] is not None
    assert publisher.post(path(channel, "/mute"), {"until": None}).json()["mutedUntil"] is None
    assert publisher.post(path(channel, "/mute"), {"until": "2020-01-01T00:00:00Z"}).status_code == 400
    assert publisher.post(path(channel, "/switch"), {"isEnabled": False}).json()["isEnabled"] is False
    [dead] = publisher.get(path(channel, "/notifications"), {"state": "dead"}).json()["items"]
    assert (dead["kind"], dead["error"], dead["status"]) == ("test", "answered", 403)
    assert publisher.post(path(channel, "/resend"), {"notification": dead["id"]}).json() == {"notifications": 1}
    assert publisher.post(path(channel, "/resend"), {}).json() == {"notifications": 0}


def test_notifications_name_their_incident_and_why_they_were_withheld(installation: Installation) -> None:
    channel = make_channel(installation.tenant, muted_until=timezone.now() + timedelta(hours=1))
    case = Case(installation)
    case.judge()
    case.end()

    items = caller_with_role(Role.VIEWER, installation.tenant).get(path(channel, "/notifications")).json()["items"]

    assert [(item["kind"], item["state"], item["reason"]) for item in items] == [
        ("resolved", "withheld", "channel_muted"),
        ("opened", "withheld", "channel_muted"),
    ]
    assert items[0]["incident"] == case.incident().pk


def test_routes_are_added_changed_and_removed(installation: Installation) -> None:
    channel = make_channel(installation.tenant, is_fallback=False)
    admin = logged_in(Role.ADMIN, installation)
    route = {"channel": str(channel.public_id), "event": "sigil.*", "installation": str(installation.public_id)}

    added = admin.post(ROUTES, route)
    assert (added.status_code, added.json()["event"], added.json()["tenant"]) == (201, "sigil.*", "acme")
    address = f"{ROUTES}/{added.json()['id']}"
    changed = admin.put(address, {"channel": str(channel.public_id), "isFallback": True})
    assert admin.get(address).json() == changed.json()
    assert (changed.json()["isFallback"], changed.json()["installation"]) == (True, None)
    wrong = admin.put(address, {**route, "isFallback": True})
    assert [error["path"] for error in wrong.json()["errors"]] == ["isFallback"]
    assert admin.get(ROUTES).json()["total"] == 1
    assert admin.post(f"{address}/remove", {}).json() == {"id": added.json()["id"]}

    with tenant_context(ALL):
        assert not AlertRoute.objects.exists()


def test_a_channel_is_removed_with_what_waited(installation: Installation) -> None:
    channel = make_channel(installation.tenant)
    Case(installation).judge()

    assert logged_in(Role.ADMIN, installation).post(path(channel, "/remove"), {}).json() == {"waiting": 1}

    with tenant_context(ALL):
        assert not Notification.objects.exists()


def test_roles_without_the_ability_change_nothing(installation: Installation) -> None:
    channel = make_channel(installation.tenant)
    with tenant_context(ALL):
        route = AlertRoute.objects.get()
    analyst = logged_in(Role.ANALYST, installation)

    for address in (
        CHANNELS,
        ROUTES,
        f"{ROUTES}/{route.pk}/remove",
        *(path(channel, f"/{deed}") for deed in ("try", "mute", "switch", "remove", "resend")),
    ):
        assert analyst.post(address, {}).status_code == 403
    for address in (path(channel), f"{ROUTES}/{route.pk}"):
        assert analyst.put(address, {}).status_code == 403


def test_another_tenants_channels_and_routes_are_not_found(installation: Installation) -> None:
    theirs = make_channel(make_installation("globex").tenant)
    mine = make_channel(installation.tenant, is_fallback=False)
    with tenant_context(ALL):
        route = AlertRoute.objects.get(channel=theirs)
    stranger = logged_in(Role.ADMIN, installation)

    assert [item["id"] for item in stranger.get(CHANNELS).json()["items"]] == [str(mine.public_id)]
    assert stranger.get(ROUTES).json()["total"] == 0
    assert stranger.post(CHANNELS, body(tenant="globex")).status_code == 404
    assert stranger.post(ROUTES, {"channel": str(theirs.public_id)}).status_code == 404
    for address in (path(theirs), path(theirs, "/notifications"), f"{ROUTES}/{route.pk}"):
        assert stranger.get(address).status_code == 404
    for address in (*(path(theirs, f"/{deed}") for deed in ("try", "remove", "resend")), f"{ROUTES}/{route.pk}/remove"):
        assert stranger.post(address, {}).status_code == 404


def test_lists_cost_the_same_for_many_rows(installation: Installation) -> None:
    viewer = caller_with_role(Role.VIEWER, installation.tenant)
    channel = make_channel(installation.tenant)
    Case(installation, rule="first").judge()
    few = [cost_of(viewer, address) for address in (CHANNELS, ROUTES, path(channel, "/notifications"))]

    for number in range(5):
        make_channel(installation.tenant)
        Case(installation, rule=f"rule-{number}").judge()

    assert [cost_of(viewer, address) for address in (CHANNELS, ROUTES, path(channel, "/notifications"))] == few
