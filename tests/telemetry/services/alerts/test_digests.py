"""Summaries: one message for all that was gathered, with counts for each installation."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from telemetry.models import Notification
from telemetry.services.alerts.digests import gather_digests
from telemetry.tasks import sweep_notifications
from tenants.context import ALL, tenant_context
from tests.sdk.servers import ScriptedServer, scripted_server
from tests.telemetry.factories import make_channel, make_installation, make_published
from tests.telemetry.services.alerts.cases import Case, notify_all, told
from tests.tenants.factories import make_app
from tests.tenants.factories import make_installation as install

pytestmark = pytest.mark.django_db


@pytest.fixture
def hook(settings: Settings) -> Iterator[ScriptedServer]:
    settings.STUDIO_OUTGOING_ALLOW = ["127.0.0.1"]
    settings.STUDIO_PUBLIC_URL = "https://studio.example.com"
    with scripted_server() as server:
        yield server


def make_due() -> None:
    """Every summary leaves now."""
    with tenant_context(ALL):
        Notification.objects.filter(state="gathered").update(due_at=datetime.now(UTC) - timedelta(seconds=1))


def test_a_summary_counts_by_installation_and_names_what_happened(hook: ScriptedServer) -> None:
    make_published()
    first = make_installation("acme")
    second = install(first.tenant, make_app("beta"))
    channel = make_channel(first.tenant, hook.url, pace="hourly")
    done, open_one, other = Case(first, rule="done"), Case(first, rule="open"), Case(second, rule="other")
    for case in (done, open_one, other):
        case.judge()
    done.end()
    assert gather_digests(datetime.now(UTC)) == 0

    make_due()
    assert gather_digests(datetime.now(UTC)) == 1
    assert gather_digests(datetime.now(UTC)) == 0
    notify_all(channel)

    [asked] = hook.asked
    body = json.loads(asked.body)
    assert body["kind"] == "digest"
    assert body["subject"].startswith("[summary] 3 opened, 1 resolved since ")
    places = {each["place"].split(" · ")[1]: each for each in body["summary"]["places"]}
    assert {name: (each["opened"], each["resolved"], each["stillOpen"]) for name, each in places.items()} == {
        first.app.slug: (2, 1, 1),
        "beta": (1, 0, 1),
    }
    assert [each["state"] for each in body["summary"]["incidents"]] == ["resolved", "opened", "opened"]
    assert f"https://studio.example.com/studio/incidents/{other.incident().pk}/" in body["text"]
    assert "4711" not in asked.body.decode()
    assert told()[-1] == ("digest", "delivered", "")
    assert {state for _, state, _ in told()[:-1]} == {"summed_up"}


def test_a_storm_becomes_a_summary_that_says_so_and_names_twenty(hook: ScriptedServer) -> None:
    make_published()
    installation = make_installation()
    channel = make_channel(installation.tenant, hook.url, most_per_hour=2)
    for number in range(30):
        Case(installation, rule=f"rule-{number}").judge()
    notify_all(channel)

    make_due()
    gather_digests(datetime.now(UTC))
    notify_all(channel)

    summary = json.loads(hook.asked[-1].body)["summary"]
    assert len(hook.asked) == 3
    assert summary["isStorm"] is True
    assert (summary["places"][0]["opened"], len(summary["incidents"]), summary["more"]) == (28, 20, 8)


def test_a_muted_channel_has_its_summary_when_the_mute_is_over(hook: ScriptedServer) -> None:
    make_published()
    installation = make_installation()
    make_channel(installation.tenant, hook.url, pace="hourly", muted_until=datetime.now(UTC) + timedelta(hours=1))
    Case(installation).judge()
    make_due()

    assert gather_digests(datetime.now(UTC)) == 0
    assert gather_digests(datetime.now(UTC) + timedelta(hours=1)) == 1


def test_sweeping_twice_changes_nothing_more(hook: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[int] = []
    monkeypatch.setattr("telemetry.tasks.notify.apply_async", lambda arguments: woken.extend(arguments))
    make_published()
    installation = make_installation()
    channel = make_channel(installation.tenant, hook.url, pace="hourly")
    Case(installation).judge()
    make_due()

    sweep_notifications()
    after = told()
    sweep_notifications()

    assert told() == after == [("opened", "summed_up", ""), ("digest", "waiting", "")]
    assert woken == [channel.pk, channel.pk]
