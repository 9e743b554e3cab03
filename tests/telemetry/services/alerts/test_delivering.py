"""Notifications on their way: real receivers, retries, order, and channels that do not wait for each other."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from telemetry.core.enums import AnomalyAction
from telemetry.models import AlertChannel, ChannelKind, Incident, IncidentStatus, Notification
from telemetry.services.alerts.claiming import LEASE, claim
from telemetry.services.alerts.delivering import due_channels, forget_old_notifications, notify_once
from telemetry.services.alerts.resending import resend_notifications
from telemetry.services.alerts.settling import settle_notification
from telemetry.services.deliveries.sending import Sending
from telemetry.tasks import forget_past_notifications, notify
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation, Tenant
from tests.sdk.servers import Reply, ScriptedServer, scripted_server
from tests.telemetry.factories import make_channel, make_installation, make_published
from tests.telemetry.services.alerts.cases import Case, notify_all, told

pytestmark = pytest.mark.django_db

SECRET = "a secret of 25 characters"


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


@pytest.fixture
def hook(settings: Settings) -> Iterator[ScriptedServer]:
    settings.STUDIO_OUTGOING_ALLOW = ["127.0.0.1"]
    settings.STUDIO_PUBLIC_URL = "https://studio.example.com"
    with scripted_server() as server:
        yield server


def fresh(channel: AlertChannel) -> AlertChannel:
    with tenant_context(ALL):
        return AlertChannel.objects.get(pk=channel.pk)


def change(channel: AlertChannel, **fields: Any) -> None:
    with tenant_context(ALL):
        AlertChannel.objects.filter(pk=channel.pk).update(**fields)


def rest_is_over(channel: AlertChannel) -> None:
    change(channel, paused_until=None)


def bodies(hook: ScriptedServer) -> list[dict[str, Any]]:
    return [json.loads(asked.body) for asked in hook.asked]


def test_a_web_hook_gets_signed_json_and_its_row_says_delivered(
    installation: Installation, hook: ScriptedServer
) -> None:
    channel = make_channel(installation.tenant, hook.url)
    case = Case(installation)
    case.judge()

    notify_all(channel)

    [asked] = hook.asked
    with tenant_context(ALL):
        row = Notification.objects.get()
    stamp, _, signature = asked.headers["telemetry-signature"].partition(",v1=")
    signed = f"{stamp.removeprefix('t=')}.".encode() + asked.body
    assert signature == hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert abs(int(stamp.removeprefix("t=")) - datetime.now(UTC).timestamp()) < 300
    assert asked.headers["telemetry-delivery"] == str(row.public_id)
    [body] = bodies(hook)
    assert (body["kind"], body["deliveryId"]) == ("incident.opened", str(row.public_id))
    assert body["incident"]["link"] == f"https://studio.example.com/studio/incidents/{case.incident().pk}/"
    assert (body["incident"]["ruleWords"], body["incident"]["eventVersion"]) == ("slow: there are too many", 1)
    assert "4711" not in asked.body.decode()
    assert (row.state, row.attempts, row.error) == ("delivered", 1, "")
    assert (fresh(channel).delivered, fresh(channel).leased_until) == (1, None)


def test_slack_gets_blocks_in_which_words_are_only_words(installation: Installation, hook: ScriptedServer) -> None:
    channel = make_channel(installation.tenant, hook.url, kind=ChannelKind.SLACK)
    Case(installation, rule="<!channel> & *bold* <https://evil.example|here>").judge()

    notify_all(channel)

    [body] = bodies(hook)
    header, section, actions = body["blocks"]
    assert (header["text"]["type"], section["text"]["type"]) == ("plain_text", "plain_text")
    assert "<" not in body["text"]
    assert len(header["text"]["text"]) <= 150
    assert [button["text"]["text"] for button in actions["elements"]] == ["Open", "Acknowledge or mute"]
    assert all(
        button["url"].startswith("https://studio.example.com/studio/incidents/") for button in actions["elements"]
    )


def test_the_end_comes_after_the_beginning_even_if_that_had_to_be_tried_again(
    installation: Installation, hook: ScriptedServer
) -> None:
    channel = make_channel(installation.tenant, hook.url)
    case = Case(installation)
    hook.always(Reply(503))
    case.judge()
    notify_all(channel)
    case.end()
    assert told() == [("opened", "waiting", ""), ("resolved", "waiting", "")]
    assert fresh(channel).paused_until is not None
    assert due_channels(datetime.now(UTC)) == []

    hook.always(Reply(200))
    rest_is_over(channel)
    notify_all(channel)

    kinds = [body["kind"] for body in bodies(hook)]
    assert kinds == ["incident.opened", "incident.opened", "incident.resolved"]
    ids = [body["deliveryId"] for body in bodies(hook)]
    assert ids[0] == ids[1] != ids[2]
    assert [state for _, state, _ in told()] == ["delivered", "delivered"]
    assert (fresh(channel).failures, fresh(channel).last_error) == (0, "")


@pytest.mark.parametrize(
    ("status", "state", "rests"),
    [
        (500, "waiting", True),
        (429, "waiting", True),
        (404, "waiting", True),
        (302, "waiting", True),
        (400, "dead", False),
    ],
)
def test_what_may_pass_is_tried_again_and_what_is_refused_is_given_up(
    installation: Installation, hook: ScriptedServer, status: int, state: str, rests: bool
) -> None:
    channel = make_channel(installation.tenant, hook.url)
    hook.always(Reply(status, headers={"Location": "http://169.254.169.254/"} if status == 302 else {}))
    Case(installation).judge()

    notify_all(channel)

    assert [found for _, found, _ in told()] == [state]
    assert len(hook.asked) == 1
    assert (fresh(channel).paused_until is not None) == rests
    assert (fresh(channel).last_error, fresh(channel).last_status) == ("answered", status)


def test_the_pause_that_is_asked_for_is_kept(installation: Installation, hook: ScriptedServer) -> None:
    channel = make_channel(installation.tenant, hook.url)
    hook.always(Reply(429, headers={"Retry-After": "600"}))
    Case(installation).judge()
    before = datetime.now(UTC)

    notify_all(channel)

    paused_until = fresh(channel).paused_until
    assert paused_until is not None
    assert paused_until >= before + timedelta(seconds=600)


def test_what_was_tried_for_a_day_is_given_up_and_can_be_sent_again(
    installation: Installation, hook: ScriptedServer
) -> None:
    channel = make_channel(installation.tenant, hook.url)
    hook.always(Reply(503))
    Case(installation).judge()
    notify_all(channel)
    with tenant_context(ALL):
        Notification.objects.update(created_at=datetime.now(UTC) - timedelta(hours=25))
    rest_is_over(channel)
    notify_all(channel)
    assert told() == [("opened", "dead", "")]

    hook.always(Reply(200))
    with tenant_context(ALL):
        assert resend_notifications(actor=SYSTEM, channel=channel) == 1
        assert resend_notifications(actor=SYSTEM, channel=channel) == 0
    notify_all(channel)

    assert told() == [("opened", "delivered", "")]
    assert len({body["deliveryId"] for body in bodies(hook)}) == 1


def test_a_channel_whose_end_hangs_or_fails_holds_no_other_up(installation: Installation, hook: ScriptedServer) -> None:
    bad = make_channel(installation.tenant, hook.url + "/bad")
    good = make_channel(installation.tenant, hook.url + "/good")
    hook.answer = lambda asked: Reply(200 if asked.path == "/good" else 500)
    for number in range(5):
        Case(installation, rule=f"rule-{number}").judge()

    notify_all(bad, good)

    assert {state for _, state, _ in told(channel=good)} == {"delivered"}
    assert {state for _, state, _ in told(channel=bad)} == {"waiting"}
    assert [asked.path for asked in hook.asked].count("/bad") == 1


def test_an_address_that_became_internal_is_not_called(installation: Installation) -> None:
    channel = make_channel(installation.tenant, "https://127.0.0.1/hook")
    Case(installation).judge()

    notify_all(channel)

    assert told() == [("opened", "waiting", "")]
    assert fresh(channel).last_error == "blocked_address"


def test_a_destination_that_cannot_be_opened_is_said(installation: Installation) -> None:
    channel = make_channel(installation.tenant)
    other = make_channel(installation.tenant, is_fallback=False)
    change(channel, sealed=other.sealed)
    Case(installation).judge()

    notify_all(channel)

    assert fresh(channel).last_error == "credential_unreadable"


def test_a_worker_at_a_channel_keeps_others_away_and_a_dead_one_is_replaced(
    installation: Installation, hook: ScriptedServer
) -> None:
    channel = make_channel(installation.tenant, hook.url)
    Case(installation).judge()
    now = datetime.now(UTC)
    taken = claim(channel.pk, now=now)
    assert taken is not None
    assert claim(channel.pk, now=now) is None

    # Its time is over: another worker sends it, under the same id, and what the first one says then counts no more.
    again = claim(channel.pk, now=now + LEASE)
    assert again is not None
    assert again.row.public_id == taken.row.public_id
    assert not settle_notification(taken, Sending(sent=1), now=now)
    assert settle_notification(again, Sending(sent=1), now=now + LEASE)
    assert told() == [("opened", "delivered", "")]


def test_what_was_withheld_while_it_was_about_to_be_taken_is_not_sent(
    installation: Installation, hook: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = make_channel(installation.tenant, hook.url, muted_until=datetime.now(UTC) + timedelta(hours=1))
    case = Case(installation)
    case.judge()
    change(channel, muted_until=None)

    # The incident ends between the look at the list and the hold of the row.
    def end_meanwhile(*_: object) -> bool:
        with tenant_context(ALL):
            Notification.objects.update(state="withheld")
        return False

    monkeypatch.setattr("telemetry.services.alerts.claiming._is_full", end_meanwhile)
    notify_all(channel)

    assert hook.asked == []
    assert told() == [("opened", "withheld", "channel_muted")]
    assert fresh(channel).leased_until is None


def test_beyond_its_messages_an_hour_a_channel_gathers_the_rest(
    installation: Installation, hook: ScriptedServer
) -> None:
    channel = make_channel(installation.tenant, hook.url, most_per_hour=3)
    for number in range(10):
        Case(installation, rule=f"rule-{number}").judge()

    notify_all(channel)

    assert [state for _, state, _ in told()].count("delivered") == 3
    assert told()[3:] == [("opened", "gathered", "storm")] * 7
    assert len(hook.asked) == 3


def test_a_muted_channel_sends_what_still_lasts_when_the_mute_ends(
    installation: Installation, hook: ScriptedServer
) -> None:
    channel = make_channel(installation.tenant, hook.url, muted_until=datetime.now(UTC) + timedelta(hours=1))
    over, lasting = Case(installation, rule="over"), Case(installation, rule="lasting")
    over.judge()
    lasting.judge()
    with tenant_context(ALL):
        # Resolved without a word of it, as by another release of the studio.
        Incident.objects.filter(rule="over").update(status=IncidentStatus.RESOLVED)
    notify_all(channel)
    assert hook.asked == []

    change(channel, muted_until=datetime.now(UTC))
    notify_all(channel)

    assert [body["incident"]["rule"] for body in bodies(hook)] == ["lasting"]
    assert told(incident__rule="over") == [("opened", "withheld", "channel_muted")]


def test_a_repetition_is_told_when_the_quiet_time_is_over_and_it_lasts(
    installation: Installation, hook: ScriptedServer
) -> None:
    channel = make_channel(installation.tenant, hook.url, quiet_minutes=60)
    before = datetime.now(UTC) - timedelta(minutes=61)
    case = Case(installation)
    case.judge(at=before)
    case.end(at=before)
    case.judge(at=before + timedelta(minutes=30))
    assert told()[-1] == ("opened", "waiting", "repeat")

    notify_all(channel)

    assert [body["kind"] for body in bodies(hook)] == ["incident.opened", "incident.resolved", "incident.opened"]


def test_what_is_past_its_days_is_forgotten_unless_its_incident_lasts(
    installation: Installation, hook: ScriptedServer
) -> None:
    channel = make_channel(installation.tenant, hook.url)
    over, lasting = Case(installation, rule="over"), Case(installation, rule="lasting")
    over.judge()
    over.end()
    lasting.judge()
    notify_all(channel)
    now = datetime.now(UTC)

    assert forget_old_notifications(now) == 0
    assert forget_old_notifications(now + timedelta(days=31)) == 2
    assert forget_old_notifications(now + timedelta(days=31)) == 0
    assert told() == [("opened", "delivered", "")]


def test_nothing_to_say_calls_nobody(hook: ScriptedServer) -> None:
    channel = make_channel(make_installation().tenant, hook.url)

    assert not notify_once(channel.pk)
    assert not notify_once(channel.pk + 1)

    assert hook.asked == []
    assert fresh(channel).leased_until is None


def test_a_tenant_without_channels_has_incidents_and_no_notifications() -> None:
    make_published()
    installation = make_installation()
    theirs: Tenant = make_installation("globex").tenant
    make_channel(theirs)

    Case(installation, actions=(AnomalyAction.ALERT,)).judge()

    assert told() == []


def test_the_jobs_run_twice_change_nothing_more(
    installation: Installation, hook: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    again: list[int] = []
    monkeypatch.setattr("telemetry.tasks.notify.apply_async", lambda arguments: again.extend(arguments))
    channel = make_channel(installation.tenant, hook.url)
    Case(installation).judge()

    for _ in range(2):
        notify(channel.pk)
        forget_past_notifications()

    # Asked once whether there is more; then there was not.
    assert again == [channel.pk]
    assert len(hook.asked) == 1
    assert told() == [("opened", "delivered", "")]
