"""The pages of alerts: channels opened, tried, muted, changed and removed, routes, and what nobody gets to see."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from telemetry.models import AlertChannel, AlertRoute, EvaluationState, Notification
from telemetry.services.alerts.destinations import open_destination
from telemetry.services.anomalies.evaluation import evaluate_due
from telemetry.services.incidents.handling import mute_incident
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Role
from tests.sdk.servers import Reply, ScriptedServer, scripted_server
from tests.studio.visitors import assert_denied, roles_without, text_of, visitor
from tests.telemetry.factories import make_channel, make_installation, make_published
from tests.telemetry.services.alerts.cases import Case, notify_all

pytestmark = pytest.mark.django_db

LIST = "/studio/alerts/"
NEW = f"{LIST}channels/new/"
SECRET = "canary signing secret 7731"
LIMITS = {"pace": "at_once", "digest_hour": "7", "quiet_minutes": "60", "most_per_hour": "20", "tells_end": "on"}


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


@pytest.fixture
def hook(settings: Settings) -> Iterator[ScriptedServer]:
    settings.STUDIO_OUTGOING_ALLOW = ["127.0.0.1"]
    with scripted_server() as server:
        yield server


def page(channel: AlertChannel) -> str:
    return f"{LIST}channels/{channel.public_id}/"


def entries(installation: Installation, url: str, **more: Any) -> dict[str, Any]:
    fields = {"tenant": installation.tenant_id, "name": "On call", "kind": "webhook", "url": url, "secret": SECRET}
    return {**fields, **LIMITS, **more}


def one() -> AlertChannel:
    with tenant_context(ALL):
        return AlertChannel.objects.get()


def test_an_empty_page_says_what_alerts_are_for() -> None:
    assert "Nobody is told of incidents" in text_of(visitor(Role.VIEWER).get(LIST))


def test_an_admin_opens_a_channel_and_where_it_leads_is_shown_nowhere(
    installation: Installation, hook: ScriptedServer
) -> None:
    admin = visitor(Role.ADMIN)

    answer = admin.post(NEW, entries(installation, f"{hook.url}/canary"))

    channel = one()
    assert answer.headers["Location"] == page(channel)
    assert open_destination(channel).url == f"{hook.url}/canary"
    for address in (LIST, page(channel)):
        assert "canary" not in admin.get(address).content.decode()
    assert "Everything that no other route takes" in text_of(admin.get(page(channel)))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"url": "https://127.0.0.1/"}, "Leads into an internal network"),
        ({"url": "http://hooks.example.com/"}, "Must begin with https://"),
        ({"secret": "short"}, "Must have 16 to 200 visible"),
        ({"kind": "email", "addresses": "nobody"}, "Must be e-mail addresses; number 1 is none"),
        ({"kind": "pigeon"}, "not one of the available choices"),
        ({"subject": "{secret}"}, "Names a place that there is not"),
        ({"quiet_minutes": "9999"}, "less than or equal to 1440"),
        ({"name": ""}, "required"),
    ],
)
def test_what_must_not_be_is_refused_beside_its_field(
    installation: Installation, changed: dict[str, str], said: str
) -> None:
    answer = visitor(Role.ADMIN).post(NEW, entries(installation, **{"url": "https://93.184.215.14/", **changed}))

    assert answer.status_code == 200
    assert said in text_of(answer)
    with tenant_context(ALL):
        assert not AlertChannel.objects.exists()


def test_a_test_says_how_it_went_and_stands_among_the_notifications(
    installation: Installation, hook: ScriptedServer
) -> None:
    channel = make_channel(installation.tenant, hook.url, name="Hook")
    publisher = visitor(Role.PUBLISHER)

    publisher.post(f"{page(channel)}try/", {})
    assert "Hook took the test." in text_of(publisher.get(page(channel)))
    hook.always(Reply(403))
    publisher.post(f"{page(channel)}try/", {})

    assert "It answered with status 403" in text_of(publisher.get(page(channel)))
    assert text_of(publisher.get(page(channel), state="delivered")).count("Test") >= 1
    assert "No notification is in this state" in text_of(publisher.get(page(channel), state="gathered"))


def test_a_preview_shows_the_template_and_saves_nothing(installation: Installation) -> None:
    channel = make_channel(installation.tenant)
    admin = visitor(Role.ADMIN)
    typed = {**LIMITS, "subject": "Look: {event}", "body": "<b>{reading}</b>", "preview": "1"}

    answer = admin.post(page(channel), typed)

    assert "Look: sigil.telemetry.workflow_step" in text_of(answer)
    assert "&lt;b&gt;10 of 12 values" in answer.content.decode()
    assert one().subject == ""
    wrong = admin.post(page(channel), {**typed, "body": "{nothing}"})
    assert "Names a place that there is not" in text_of(wrong)


def test_settings_are_saved_and_an_empty_address_keeps_the_old_one(installation: Installation) -> None:
    channel = make_channel(installation.tenant, "https://hooks.example.com/kept")

    answer = visitor(Role.ADMIN).post(
        page(channel), {**LIMITS, "pace": "daily", "digest_hour": "5", "subject": "{rule}"}
    )

    assert answer.headers["Location"] == page(channel)
    changed = one()
    assert (changed.pace, changed.digest_hour, changed.subject, changed.tells_end) == ("daily", 5, "{rule}", True)
    assert open_destination(changed).url == "https://hooks.example.com/kept"


def test_a_channel_is_muted_unmuted_and_switched(installation: Installation) -> None:
    channel = make_channel(installation.tenant)
    publisher = visitor(Role.PUBLISHER)

    publisher.post(f"{page(channel)}mute/", {"hours": "8"})
    assert one().is_muted
    assert "Unmute" in text_of(publisher.get(page(channel)))
    publisher.post(f"{page(channel)}mute/", {"unmute": "1"})
    assert not one().is_muted
    publisher.post(f"{page(channel)}switch/", {})

    assert not one().is_enabled


def test_what_was_given_up_is_sent_again_after_asking(installation: Installation, hook: ScriptedServer) -> None:
    channel = make_channel(installation.tenant, hook.url)
    hook.always(Reply(400))
    Case(installation).judge()
    notify_all(channel)
    publisher = visitor(Role.PUBLISHER)
    assert "Send again what was given up" in text_of(publisher.get(page(channel)))

    assert "waits as if it were new" in text_of(publisher.get(f"{page(channel)}resend/"))
    publisher.post(f"{page(channel)}resend/", {})

    with tenant_context(ALL):
        assert Notification.objects.get().state == "waiting"


def test_a_channel_is_removed_after_asking_with_its_routes(installation: Installation) -> None:
    channel = make_channel(installation.tenant, name="Hook")
    admin = visitor(Role.ADMIN)

    assert "its 1 route" in text_of(admin.get(f"{page(channel)}remove/"))
    answer = admin.post(f"{page(channel)}remove/", {})

    assert answer.headers["Location"] == LIST
    with tenant_context(ALL):
        assert not AlertChannel.objects.exists()


def test_routes_are_added_changed_and_removed(installation: Installation) -> None:
    channel = make_channel(installation.tenant, is_fallback=False)
    admin = visitor(Role.ADMIN)
    assert "No route leads to a channel" in text_of(admin.get(LIST))

    admin.post(f"{LIST}routes/new/", {"channel": channel.pk, "event": "sigil.*", "environment": "production"})
    with tenant_context(ALL):
        route = AlertRoute.objects.get()
    assert "Events sigil.*, in production" in text_of(admin.get(LIST))
    assert "sigil.*" in admin.get(f"{LIST}routes/{route.pk}/").content.decode()
    admin.post(f"{LIST}routes/{route.pk}/", {"channel": channel.pk, "installation": installation.pk})
    assert f"At {installation.app.slug} production" in text_of(admin.get(LIST))
    wrong = admin.post(f"{LIST}routes/{route.pk}/", {"channel": channel.pk, "is_fallback": "on", "event": "a"})
    assert "so it has no conditions" in text_of(wrong)
    admin.get(f"{LIST}routes/{route.pk}/remove/")
    admin.post(f"{LIST}routes/{route.pk}/remove/", {})

    with tenant_context(ALL):
        assert not AlertRoute.objects.exists()


def test_the_incidents_page_says_who_was_told_and_what_was_withheld(
    installation: Installation, hook: ScriptedServer
) -> None:
    channel = make_channel(installation.tenant, hook.url, name="On call")
    now = timezone.now()
    case = Case(installation, now=now)
    case.judge()
    notify_all(channel)
    analyst = visitor(Role.ANALYST)
    incident = case.incident()
    assert "On call" in text_of(analyst.get(f"/studio/incidents/{incident.pk}/"))
    with tenant_context(ALL):
        mute_incident(actor=SYSTEM, incident=incident, until=now + timedelta(hours=1))
    case.end(at=now + timedelta(minutes=10))

    text = text_of(analyst.get(f"/studio/incidents/{incident.pk}/"))

    assert "delivered" in text
    assert "withheld the incident was muted" in text


def test_an_incident_that_nobody_was_told_of_says_so(installation: Installation) -> None:
    case = Case(installation)
    case.judge()

    assert "Nobody was told of it" in text_of(visitor(Role.VIEWER).get(f"/studio/incidents/{case.incident().pk}/"))


@pytest.mark.parametrize("role", [Role.ANALYST, Role.VIEWER])
def test_without_the_ability_nothing_is_changed(installation: Installation, role: Role) -> None:
    channel = make_channel(installation.tenant)
    with tenant_context(ALL):
        route = AlertRoute.objects.get()

    asked = visitor(role)
    managed = [NEW, page(channel), f"{page(channel)}remove/", f"{LIST}routes/new/"]
    managed += [f"{LIST}routes/{route.pk}/{deed}" for deed in ("", "remove/")]
    operated = [f"{page(channel)}{deed}/" for deed in ("try", "mute", "switch", "resend")]

    for ability, paths in (("alert.manage", managed), ("alert.operate", operated)):
        for path in paths:
            assert_denied(ability, partial(asked.post, path, {}))


def test_only_admins_manage(installation: Installation) -> None:
    channel = make_channel(installation.tenant)

    for role in roles_without("alert.manage"):
        text = text_of(visitor(role).get(page(channel)))
        assert "Leads to" in text
        assert "Signing secret" not in text


def test_another_tenants_channel_is_not_found(installation: Installation) -> None:
    theirs = make_channel(make_installation("globex").tenant, name="Theirs")
    admin = visitor(Role.ADMIN, installation.tenant)

    assert "Theirs" not in text_of(admin.get(LIST))
    for path in (page(theirs), f"{page(theirs)}remove/"):
        assert admin.get(path).status_code == 404
    assert admin.post(f"{page(theirs)}try/", {}).status_code == 404


def test_evaluation_that_lags_is_said_here_and_on_the_overview(installation: Installation) -> None:
    evaluate_due()
    viewer = visitor(Role.VIEWER)
    assert "not judged" not in text_of(viewer.get("/studio/"))

    with tenant_context(ALL):
        EvaluationState.objects.update(due_at=timezone.now() - timedelta(minutes=20))

    assert "Anomalies of 1 installation are not judged" in text_of(viewer.get("/studio/"))
    assert "have not been judged since" in text_of(viewer.get(LIST))


def test_lists_cost_the_same_for_many_rows(installation: Installation) -> None:
    viewer = visitor(Role.VIEWER)
    channel = make_channel(installation.tenant)
    Case(installation, rule="first").judge()
    few = (viewer.cost_of(LIST), viewer.cost_of(page(channel)))

    for number in range(5):
        make_channel(installation.tenant)
        Case(installation, rule=f"rule-{number}").judge()

    assert (viewer.cost_of(LIST), viewer.cost_of(page(channel))) == few
