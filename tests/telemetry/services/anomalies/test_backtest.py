"""What a rule would have done in the past: what it would do now, told before it is saved."""

from datetime import timedelta
from uuid import uuid4

import pytest

from telemetry.core.enums import AnomalyAction, AnomalyMethod, Statistic
from telemetry.core.errors import UnknownEvent
from telemetry.core.spec import AnomalyDetection, AnomalyRule, Threshold
from telemetry.models import Incident, JudgedWindow
from telemetry.selectors.metric_windows import EventKey
from telemetry.services.anomalies.backtest import Backtest, backtest_event
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published
from tests.telemetry.services.anomalies.test_evaluation import LAG, NOON, WIDTH, judge, rule, send, start, watching

pytestmark = pytest.mark.django_db

STEP = EventKey("sigil.telemetry.workflow_step", 1)


@pytest.fixture
def installation() -> Installation:
    make_published(watching(rule(max=2.0)))
    return make_installation()


def backtest(installation: Installation, *rules: AnomalyRule, **fields: object) -> list[Backtest]:
    detection = AnomalyDetection(rules=rules, **fields)  # type: ignore[arg-type]  # the test's own words
    with tenant_context(ALL):
        return backtest_event(
            installation=installation, event=STEP, detection=detection, now=NOON + 6 * WIDTH + LAG, days=1
        )


def send_pattern(installation: Installation, counts: list[int]) -> None:
    for index, count in enumerate(counts):
        if count:
            send(installation, NOON + index * WIDTH, [100.0 * (index + 1)] * count)


def test_a_backtest_tells_the_incidents_that_there_would_have_been(installation: Installation) -> None:
    send_pattern(installation, [1, 3, 4, 1, 1, 1])

    [found] = backtest(installation, rule(max=2.0))

    assert found.words == "the number of events is above 2"
    assert [(each.start, each.end, each.breaches) for each in found.episodes] == [(NOON + WIDTH, NOON + 3 * WIDTH, 2)]
    assert found.episodes[0].words == "3 is above the maximum of 2"
    assert [window.value for window in found.windows] == [1, 3, 4, 1, 1, 1]
    assert found.warnings == []


def test_a_backtest_is_what_the_evaluation_does(installation: Installation) -> None:
    start(installation)
    send_pattern(installation, [1, 3, 4, 1, 1, 1])
    for index in range(6):
        judge(NOON + (index + 1) * WIDTH + LAG)

    [found] = backtest(installation, rule(max=2.0))

    with tenant_context(ALL):
        live = JudgedWindow.objects.filter(start__gte=NOON, is_history=False).order_by("start")
        assert [(row.start, row.value, bool(row.breach)) for row in live] == [
            (window.start, window.value, window.is_breach) for window in found.windows
        ]
        incident = Incident.objects.get()
    assert (incident.first_window, incident.last_breach_at) == (found.episodes[0].start, found.episodes[0].end)


def test_nothing_is_stored_and_nobody_is_told(installation: Installation) -> None:
    send_pattern(installation, [5, 5, 5])

    backtest(installation, rule(max=2.0, actions=(AnomalyAction.ALERT,)))

    with tenant_context(ALL):
        assert (JudgedWindow.objects.count(), Incident.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("tried", "warning"),
    [
        (
            rule(Statistic.MEAN, metric="durationMs", max=1.0, minimum_sample=50),
            "it can never fire: no window had the 50 events that it takes, the fullest had 4; "
            "lower the minimum sample or widen the window",
        ),
        (rule(max=0.5), "it always fires: every window is in breach"),
        (rule(max=2.5), "it fires too often to be heard: 3 of 6 windows are in breach"),
    ],
)
def test_a_rule_that_tells_nothing_is_warned_of(installation: Installation, tried: AnomalyRule, warning: str) -> None:
    send_pattern(installation, [1, 3, 4, 1, 4, 1])

    assert backtest(installation, tried)[0].warnings == [warning]


def test_without_events_nobody_knows(installation: Installation) -> None:
    [found] = backtest(installation, rule(max=0.5))

    assert (found.windows, found.episodes) == ([], [])
    assert found.warnings == ["no events came in these days: nobody knows what the rule would do"]


def test_thresholds_and_every_method_can_be_tried(installation: Installation) -> None:
    send_pattern(installation, [10, 10, 10, 10, 10, 10])
    methods = [
        AnomalyRule(name=f"by_{method.value}", statistic=Statistic.COUNT, method=method)
        for method in AnomalyMethod
        if method is not AnomalyMethod.LIMITS
    ]

    found = backtest(installation, *methods, thresholds=(Threshold(metric="durationMs", max=550.0),))

    assert [each.rule for each in found] == ["threshold:durationMs", *(each.name for each in methods)]
    assert [len(each.episodes) for each in found] == [1, 0, 0, 0, 0]
    assert found[0].episodes[0].words == "10 of 10 values are above the maximum of 550"


def test_an_unknown_event_is_refused(installation: Installation) -> None:
    with tenant_context(ALL), pytest.raises(UnknownEvent):
        backtest_event(installation=installation, event=EventKey("other", 1), detection=AnomalyDetection(), now=NOON)


def test_another_installation_s_events_do_not_count(installation: Installation) -> None:
    other = make_installation("globex")
    ingest(other, make_incoming(event_id=str(uuid4()), occurred_at=NOON), received_at=NOON + timedelta(minutes=1))

    assert backtest(installation, rule(max=0.5))[0].windows == []
