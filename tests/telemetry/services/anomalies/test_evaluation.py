"""Windows judged once, incidents that grow from them, late events, and workers that run twice, fail or are late."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.test.utils import CaptureQueriesContext

from telemetry.core.config import EventOverride, TenantOverride
from telemetry.core.enums import AnomalyAction, AnomalyMethod, Statistic
from telemetry.core.spec import AnomalyDetection, AnomalyRule, Sampling, TelemetrySpec
from telemetry.models import (
    EvaluationState,
    Incident,
    IncidentEntry,
    IncidentStatus,
    JudgedWindow,
    RegenerationRequest,
)
from telemetry.services.anomalies import evaluation
from telemetry.services.anomalies.evaluation import evaluate_due, forget_old_windows
from telemetry.services.anomalies.watching import watched_rules
from telemetry.services.incidents.growing import OpenCases
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.core.builders import make_redaction, make_sigil_spec
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published

pytestmark = pytest.mark.django_db

# A window of the seed's spec is five minutes wide, and is judged one minute after its end.
# Days ahead, where the tables have their partitions.
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=4)
WIDTH = timedelta(minutes=5)
LAG = timedelta(minutes=1)


def watching(*rules: AnomalyRule, **fields: Any) -> TelemetrySpec:
    """The seed's spec with these rules, or these fields, instead of its threshold."""
    spec = make_sigil_spec()
    detection = AnomalyDetection(rules=rules, actions=(AnomalyAction.LOG,), **fields)
    return msgspec.structs.replace(spec, events=(msgspec.structs.replace(spec.events[0], anomaly_detection=detection),))


def rule(statistic: Statistic = Statistic.COUNT, **fields: Any) -> AnomalyRule:
    return AnomalyRule(name="watched", statistic=statistic, **fields)


def send(
    installation: Installation, at: datetime, durations: Sequence[float], *, late: timedelta = timedelta()
) -> None:
    """One event for each duration happened at ``at``, and came ``late``."""
    events = [
        make_incoming(occurred_at=at, properties={"workflow": "deploy", "step": "build", "durationMs": duration})
        for duration in durations
    ]
    ingest(installation, *events, received_at=at + late)


def judge(at: datetime) -> int:
    """Everything that is due at the instant is judged; how many installations were."""
    return evaluate_due(now=at)


def start(installation: Installation, at: datetime = NOON) -> None:
    """The rules are judged from the window on that starts at the instant."""
    judge(at + LAG)
    with tenant_context(ALL):
        EvaluationState.objects.filter(installation=installation).update(due_at=at)


def incidents() -> list[Incident]:
    with tenant_context(ALL):
        return list(Incident.objects.select_related("group").order_by("id"))


def windows() -> list[tuple[datetime, float | None, str]]:
    with tenant_context(ALL):
        rows = JudgedWindow.objects.filter(is_history=False, start__gte=NOON).order_by("start")
        return [(row.start, row.value, row.breach) for row in rows]


@pytest.mark.parametrize(("durations", "count"), [([1501.0] * 10, 1), ([1501.0] * 9, 0), ([1500.0] * 10, 0)])
def test_ten_slow_steps_raise_one_incident_and_nine_or_ten_at_the_limit_do_not(
    durations: list[float], count: int
) -> None:
    make_published()
    installation = make_installation()
    start(installation)
    send(installation, NOON + LAG, durations)

    judge(NOON + WIDTH + LAG)

    found = incidents()
    assert len(found) == count
    for incident in found:
        assert incident.actions == ["alert", "trigger_regen"]
        assert (incident.rule, incident.side, incident.status) == ("threshold:durationMs", "high", "open")
        assert incident.rule_words == "a value of durationMs is above 1,500"
        assert incident.peak_words == "10 of 10 values are above the maximum of 1,500"
        with tenant_context(ALL):
            assert RegenerationRequest.objects.filter(incident=incident, taken_at=None).count() == 1


def test_what_is_sampled_out_or_hidden_counts_as_it_was_sent() -> None:
    # Given a spec that keeps no event, and hides the number; and a minimum that a masked 0 would trip.
    spec = make_sigil_spec()
    event = spec.events[0]
    hidden = msgspec.structs.replace(event.properties["durationMs"], redact=True, redaction=make_redaction("mask"))
    event = msgspec.structs.replace(
        event,
        sampling=Sampling(rate=0.0),
        properties={**event.properties, "durationMs": hidden},
        anomaly_detection=AnomalyDetection(rules=(rule(Statistic.MEAN, metric="durationMs", min=50.0, max=1500.0),)),
    )
    make_published(msgspec.structs.replace(spec, events=(event,)))
    installation = make_installation()
    start(installation)
    send(installation, NOON, [100.0] * 10)
    send(installation, NOON + WIDTH, [2000.0] * 10)

    judge(NOON + 2 * WIDTH + LAG)

    assert windows() == [(NOON, 100.0, ""), (NOON + WIDTH, 2000.0, "high")]


def test_an_incident_grows_while_the_breach_lasts_and_resolves_after_three_normal_windows() -> None:
    make_published(watching(rule(max=2.0)))
    installation = make_installation()
    start(installation)
    for index, count in enumerate([3, 4, 1, 3, 1, 1, 1, 1]):
        send(installation, NOON + index * WIDTH, [1.0] * count)
        judge(NOON + (index + 1) * WIDTH + LAG)

    [incident] = incidents()
    assert (incident.status, incident.breaches, incident.peak_value) == (IncidentStatus.RESOLVED, 3, 3.0)
    assert incident.last_breach_at == NOON + 4 * WIDTH
    assert incident.resolved_at == NOON + 7 * WIDTH + LAG
    with tenant_context(ALL):
        entries = list(IncidentEntry.objects.values_list("kind", "text"))
    assert entries == [
        ("opened", "3 is above the maximum of 2"),
        ("resolved", "the metric is back to normal"),
    ]


def test_a_worker_that_is_late_judges_every_window_that_it_missed_once() -> None:
    make_published(watching(rule(max=2.0)))
    installation = make_installation()
    start(installation)
    for index, count in enumerate([1, 3, 3, 0, 1]):
        send(installation, NOON + index * WIDTH, [1.0] * count)

    judge(NOON + 5 * WIDTH + LAG)
    judge(NOON + 5 * WIDTH + LAG)

    assert [(value, breach) for _, value, breach in windows()] == [
        (1.0, ""),
        (3.0, "high"),
        (3.0, "high"),
        (0.0, ""),
        (1.0, ""),
    ]
    [incident] = incidents()
    assert incident.breaches == 2


def test_an_evaluation_that_dies_half_way_leaves_nothing_and_is_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    make_published(watching(rule(max=2.0)))
    installation = make_installation()
    start(installation)
    send(installation, NOON, [1.0] * 3)

    def die(*_arguments: object, **_settings: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(OpenCases, "grow", die)
        with pytest.raises(Exception, match="could not be evaluated"):
            judge(NOON + WIDTH + LAG)
    assert windows() == []

    judge(NOON + WIDTH + LAG)

    assert [breach for *_, breach in windows()] == ["high"]
    assert [incident.breaches for incident in incidents()] == [1]


def test_one_installation_that_fails_holds_no_other_up(monkeypatch: pytest.MonkeyPatch) -> None:
    make_published(watching(rule(max=2.0)))
    first, second = make_installation("acme"), make_installation("globex")
    start(first)
    start(second)
    send(second, NOON, [1.0] * 3)

    def fail_for_the_first(config: Any) -> Any:
        if config.tenant == "acme":
            raise RuntimeError("broken")
        return watched_rules(config)

    monkeypatch.setattr(evaluation, "watched_rules", fail_for_the_first)
    with pytest.raises(Exception, match=f"installation {first.pk} could not be evaluated"):
        judge(NOON + WIDTH + LAG)

    assert [incident.installation_id for incident in incidents()] == [second.pk]


def test_events_that_come_late_are_judged_again_and_open_an_incident_once() -> None:
    make_published(watching(rule(max=2.0)))
    installation = make_installation()
    start(installation)
    send(installation, NOON, [1.0])
    judge(NOON + WIDTH + LAG)
    assert incidents() == []

    send(installation, NOON, [1.0, 1.0], late=2 * WIDTH)
    judge(NOON + 2 * WIDTH + LAG)
    judge(NOON + 3 * WIDTH + LAG)

    assert windows()[0] == (NOON, 3.0, "high")
    [incident] = incidents()
    assert (incident.breaches, incident.first_window) == (1, NOON)
    with tenant_context(ALL):
        assert JudgedWindow.objects.get(start=NOON, is_history=False).judgements == 2


def test_late_events_that_explain_a_breach_withdraw_it() -> None:
    make_published(watching(rule(min=2.0)))
    installation = make_installation()
    send(installation, NOON - WIDTH, [1.0, 1.0])
    start(installation)
    send(installation, NOON, [1.0])
    judge(NOON + WIDTH + LAG)
    assert [incident.side for incident in incidents()] == ["low"]

    send(installation, NOON, [1.0, 1.0], late=WIDTH + 2 * LAG)
    send(installation, NOON + WIDTH, [1.0, 1.0])
    judge(NOON + 2 * WIDTH + LAG)

    [incident] = incidents()
    assert (incident.status, incident.breaches) == (IncidentStatus.RESOLVED, 0)
    with tenant_context(ALL):
        assert IncidentEntry.objects.last().text == "events that came late show that there was no breach"  # type: ignore[union-attr]


def test_the_silence_of_an_hourly_event_is_found_within_two_cadences() -> None:
    make_published(watching(rule(method=AnomalyMethod.SILENCE)))
    installation = make_installation()
    for hour in range(30):
        send(installation, NOON - timedelta(hours=30 - hour), [1.0])
    last = NOON - timedelta(hours=1)
    judge(NOON)

    found_at = next(at for at in (NOON + index * WIDTH for index in range(1, 40)) if judge(at + LAG) and incidents())

    assert timedelta(hours=1) < found_at - last <= timedelta(hours=2)
    assert incidents()[0].peak_words == "nothing for 95 minutes; the longest pause before was 60 minutes"


def test_after_an_outage_of_days_old_windows_raise_nothing() -> None:
    make_published(watching(rule(max=2.0)))
    installation = make_installation()
    start(installation, NOON - timedelta(days=3))
    send(installation, NOON - timedelta(days=2), [1.0] * 5, late=timedelta(days=2))

    judge(NOON + WIDTH + LAG)

    assert incidents() == []


def test_a_muted_incident_opens_again_when_the_mute_ends_while_the_breach_lasts() -> None:
    make_published(watching(rule(max=2.0)))
    installation = make_installation()
    start(installation)
    send(installation, NOON, [1.0] * 3)
    judge(NOON + WIDTH + LAG)
    with tenant_context(ALL):
        Incident.objects.update(status=IncidentStatus.MUTED, muted_until=NOON + 3 * WIDTH)
    for index in (1, 2):
        send(installation, NOON + index * WIDTH, [1.0] * 3)

    judge(NOON + 2 * WIDTH + LAG)
    muted = incidents()[0].status
    judge(NOON + 3 * WIDTH + LAG)

    assert (muted, incidents()[0].status) == (IncidentStatus.MUTED, IncidentStatus.OPEN)


def test_incidents_of_one_installation_that_begin_together_are_grouped() -> None:
    make_published(
        watching(rule(max=2.0), AnomalyRule(name="slow", statistic=Statistic.MAX, metric="durationMs", max=5))
    )
    installation = make_installation()
    start(installation)
    send(installation, NOON, [9.0] * 10)

    judge(NOON + WIDTH + LAG)

    first, second = incidents()
    assert (first.group, second.group) == (None, first)


def test_switched_off_events_and_rules_are_not_judged() -> None:
    make_published(watching(rule(max=2.0)))
    off = TenantOverride(events={"sigil.telemetry.workflow_step": EventOverride(enabled=False)})
    installation = make_installation(override=off)
    start(installation)
    send(installation, NOON, [1.0] * 5)

    judge(NOON + WIDTH + LAG)

    assert (incidents(), windows()) == ([], [])


def test_an_incident_is_logged_with_names_and_no_value(caplog: pytest.LogCaptureFixture) -> None:
    make_published(watching(rule(max=2.0)))
    installation = make_installation()
    start(installation)
    send(installation, NOON, [4711.0] * 3)

    with caplog.at_level(logging.INFO, logger="telemetry"):
        judge(NOON + WIDTH + LAG)

    [record] = [record for record in caplog.records if record.message == "incident.opened"]
    assert (record.rule, record.side) == ("watched", "high")  # type: ignore[attr-defined]
    assert "4711" not in str(vars(record))


def test_the_queries_of_an_evaluation_grow_with_rules_and_not_with_events(
    django_assert_max_num_queries: Callable[[int], CaptureQueriesContext],
) -> None:
    make_published(watching(rule(max=100_000.0)))
    installation = make_installation()
    start(installation)
    for index in range(20):
        send(installation, NOON + timedelta(seconds=index), [1.0] * 50)

    with django_assert_max_num_queries(60):
        judge(NOON + WIDTH + LAG)

    assert windows() == [(NOON, 1000.0, "")]


def test_old_windows_are_forgotten_in_slices_and_young_ones_stay() -> None:
    make_published(watching(rule(max=2.0)))
    installation = make_installation()
    start(installation)
    send(installation, NOON, [1.0])
    judge(NOON + WIDTH + LAG)

    assert forget_old_windows(now=NOON + timedelta(days=90), most=1) == 1
    assert windows() == [(NOON, 1.0, "")]
    assert forget_old_windows(now=NOON + timedelta(days=91)) == 1
    assert windows() == []
