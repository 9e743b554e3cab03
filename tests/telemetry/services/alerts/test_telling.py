"""From transitions of incidents to notifications: one for each channel and transition, and reasons for none."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from telemetry.core.enums import AnomalyAction, AnomalyMethod, Statistic
from telemetry.core.spec import AnomalyRule
from telemetry.models import AlertChannel, AlertRoute, Incident, IncidentStatus, Notification
from telemetry.services.alerts.telling import next_summary_at
from telemetry.services.anomalies.watching import WatchedRule
from telemetry.services.incidents.handling import acknowledge_incident, mute_incident, resolve_incident
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.telemetry.factories import make_channel, make_installation, make_published
from tests.telemetry.services.alerts.cases import Case, told
from tests.telemetry.services.anomalies.test_evaluation import LAG, NOON, WIDTH, judge, send, start

pytestmark = pytest.mark.django_db

NOW = datetime.now(UTC)


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


def route(channel: AlertChannel, **conditions: Any) -> AlertRoute:
    with tenant_context(ALL):
        return AlertRoute.objects.create(tenant_id=channel.tenant_id, channel=channel, **conditions)


def change(channel: AlertChannel, **fields: Any) -> None:
    with tenant_context(ALL):
        AlertChannel.objects.filter(pk=channel.pk).update(**fields)


def test_the_seeds_ten_slow_steps_tell_the_channel_once_and_nine_tell_nobody() -> None:
    make_published()
    slow, quick = make_installation("acme"), make_installation("globex")
    channels = [make_channel(each.tenant) for each in (slow, quick)]
    for each in (slow, quick):
        start(each)
    send(slow, NOON + LAG, [1501.0] * 10)
    send(quick, NOON + LAG, [1501.0] * 9)

    judge(NOON + WIDTH + LAG)
    judge(NOON + WIDTH + LAG)

    assert told(channel=channels[0]) == [("opened", "waiting", "")]
    assert told(channel=channels[1]) == []
    with tenant_context(ALL):
        facts = Notification.objects.get().facts
    assert facts["what"] == "a value of durationMs is above 1,500"
    assert facts["reading"] == "10 of 10 values are above the maximum of 1,500"


def test_the_end_is_told_to_who_was_told_of_the_beginning(installation: Installation) -> None:
    first = make_channel(installation.tenant)
    case = Case(installation)
    case.judge()
    case.judge()
    # Opened after the incident: it would not know what has ended.
    make_channel(installation.tenant)

    case.end()

    assert told() == [("opened", "waiting", ""), ("resolved", "waiting", "")]
    assert told(channel=first) == told()


def test_channels_choose_whether_they_hear_of_acknowledgements_and_ends(installation: Installation) -> None:
    make_channel(installation.tenant, name="all", tells_acknowledgement=True)
    make_channel(installation.tenant, name="few", tells_end=False)
    case = Case(installation)
    case.judge()

    with tenant_context(ALL):
        acknowledge_incident(actor=SYSTEM, incident=case.incident())
        resolve_incident(actor=SYSTEM, incident=case.incident())

    assert [kind for kind, *_ in told(channel__name="all")] == ["opened", "acknowledged", "resolved"]
    assert [kind for kind, *_ in told(channel__name="few")] == ["opened"]


def test_only_rules_that_ask_for_an_alert_are_told(installation: Installation) -> None:
    make_channel(installation.tenant)

    Case(installation, actions=(AnomalyAction.LOG, AnomalyAction.TRIGGER_REGEN)).judge()

    assert told() == []


def test_a_transition_is_told_a_channel_once_whatever_writes(installation: Installation) -> None:
    make_channel(installation.tenant)
    Case(installation).judge()

    with tenant_context(ALL):
        row = Notification.objects.get()
        row.pk, row.public_id = None, uuid4()
        with pytest.raises(IntegrityError, match="telemetry_notification_once"), transaction.atomic():
            row.save(force_insert=True)


@pytest.mark.parametrize(
    ("conditions", "fits"),
    [
        ({}, True),
        ({"event": "sigil.telemetry.workflow_step"}, True),
        ({"event": "sigil.*"}, True),
        ({"event": "sigil.telemetry.workflow"}, False),
        ({"event": "other.*"}, False),
        ({"rule": "slow"}, True),
        ({"rule": "slower"}, False),
        ({"environment": "production"}, True),
        ({"environment": "staging"}, False),
        ({"action": "alert"}, True),
        ({"action": "trigger_regen"}, False),
        ({"event": "sigil.*", "environment": "staging"}, False),
    ],
)
def test_a_route_takes_what_fits_and_the_fallback_the_rest(
    installation: Installation, conditions: dict[str, str], fits: bool
) -> None:
    fallback = make_channel(installation.tenant, name="fallback")
    special = make_channel(installation.tenant, name="special", is_fallback=False)
    route(special, **conditions)

    Case(installation).judge()

    assert [kind for kind, *_ in told(channel=special if fits else fallback)] == ["opened"]
    assert told(channel=fallback if fits else special) == []


def test_routes_by_installation_and_app_tell_installations_apart(installation: Installation) -> None:
    other = make_installation("acme-2")
    channel = make_channel(installation.tenant, is_fallback=False)
    route(channel, installation=installation)
    route(channel, app=installation.app)
    make_channel(other.tenant, name="theirs")

    Case(installation).judge()
    Case(other).judge()

    # Two routes to one channel are one message, and no tenant's incident is told to another.
    assert len(told(channel=channel)) == 1
    assert len(told(channel__name="theirs")) == 1


def test_a_channel_that_is_off_is_told_nothing(installation: Installation) -> None:
    make_channel(installation.tenant, is_enabled=False)

    Case(installation).judge()

    assert told() == []


def test_a_repetition_within_the_quiet_time_is_put_off_and_withheld_when_it_ends(installation: Installation) -> None:
    make_channel(installation.tenant, quiet_minutes=60)
    case = Case(installation)
    case.judge(at=NOW)
    case.end(at=NOW + timedelta(minutes=10))

    case.judge(at=NOW + timedelta(minutes=20))
    with tenant_context(ALL):
        put_off = Notification.objects.latest("id")
    assert (put_off.state, put_off.reason, put_off.due_at) == ("waiting", "repeat", NOW + timedelta(minutes=60))
    case.end(at=NOW + timedelta(minutes=30))
    case.judge(at=NOW + timedelta(minutes=61))

    assert told() == [
        ("opened", "waiting", ""),
        ("resolved", "waiting", ""),
        ("opened", "withheld", "repeat"),
        ("resolved", "withheld", "repeat"),
        ("opened", "waiting", ""),
    ]


def test_another_rule_is_no_repetition(installation: Installation) -> None:
    make_channel(installation.tenant)

    Case(installation, rule="slow").judge()
    Case(installation, rule="rare").judge()

    assert told() == [("opened", "waiting", "")] * 2


def test_the_end_of_a_muted_incident_is_withheld_and_says_so(installation: Installation) -> None:
    make_channel(installation.tenant)
    case = Case(installation)
    case.judge()
    with tenant_context(ALL):
        mute_incident(actor=SYSTEM, incident=case.incident(), until=NOW + timedelta(hours=1))

    case.judge(at=NOW + timedelta(minutes=5))
    case.end(at=NOW + timedelta(minutes=10))

    # It was judged all the same.
    assert case.incident().breaches == 2
    assert told() == [("opened", "waiting", ""), ("resolved", "withheld", "muted")]


def test_a_mute_that_ends_while_the_breach_lasts_is_told_once(installation: Installation) -> None:
    make_channel(installation.tenant)
    case = Case(installation)
    case.judge()
    with tenant_context(ALL):
        mute_incident(actor=SYSTEM, incident=case.incident(), until=NOW + timedelta(hours=1))

    for minutes in (30, 61, 66):
        case.judge(at=NOW + timedelta(minutes=minutes))

    assert case.incident().status == IncidentStatus.OPEN
    assert told() == [("opened", "waiting", ""), ("reopened", "waiting", "")]


def test_a_muted_channel_keeps_what_it_would_have_told(installation: Installation) -> None:
    make_channel(installation.tenant, muted_until=NOW + timedelta(hours=1))
    short, long = Case(installation, rule="short"), Case(installation, rule="long")
    short.judge()
    long.judge()

    short.end()

    assert told(incident__rule="short") == [
        ("opened", "withheld", "channel_muted"),
        ("resolved", "withheld", "channel_muted"),
    ]
    assert told(incident__rule="long") == [("opened", "waiting", "channel_muted")]


def test_slow_channels_gather_everything_for_their_summary(installation: Installation) -> None:
    channel = make_channel(installation.tenant, pace="daily", digest_hour=9)
    case = Case(installation)

    case.judge(at=NOW)
    case.end(at=NOW)
    case.judge(at=NOW)

    assert told() == [("opened", "gathered", ""), ("resolved", "gathered", ""), ("opened", "gathered", "")]
    with tenant_context(ALL):
        assert {row.due_at for row in Notification.objects.all()} == {next_summary_at(channel, NOW)}


@pytest.mark.parametrize(
    ("pace", "now", "expected"),
    [
        ("hourly", "08:59", "09:00"),
        ("hourly", "09:00", "10:00"),
        ("daily", "08:59", "09:00"),
        ("at_once", "10:30", "11:00"),
    ],
)
def test_summaries_leave_at_the_next_full_hour_or_at_their_hour_of_the_day(pace: str, now: str, expected: str) -> None:
    channel = AlertChannel(pace=pace, digest_hour=9)

    at = next_summary_at(channel, datetime.fromisoformat(f"2026-11-26T{now}:00+00:00"))

    assert f"{at:%Y-%m-%d %H:%M}" == f"2026-11-26 {expected}"
    assert next_summary_at(AlertChannel(pace="daily", digest_hour=9), at) > at


def test_what_was_computed_from_values_of_a_property_stays_here() -> None:
    rule = AnomalyRule(name="slow", statistic=Statistic.MAX, metric="durationMs", max=5.0)
    base = Case(make_installation()).watched
    of_values: WatchedRule = base._replace(rule=rule)
    of_events = base._replace(rule=AnomalyRule(name="many", statistic=Statistic.COUNT, method=AnomalyMethod.SEASONAL))

    assert of_values.words_outside("high", "4,711 is above the maximum of 5") == "the max of durationMs is too high"
    assert of_events.words_outside("high", "30 instead of 3") == "30 instead of 3"


def test_what_is_told_of_an_incident_is_fixed_when_it_opens(installation: Installation) -> None:
    make_channel(installation.tenant)
    case = Case(installation)
    case.judge()
    with tenant_context(ALL):
        Incident.objects.update(peak_words="the worst value was 4711")

    case.end()

    with tenant_context(ALL):
        assert "4711" not in str(list(Notification.objects.values_list("facts", flat=True)))
