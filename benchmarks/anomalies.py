"""What judging anomaly rules costs: per window in the core, and of an installation as rules and events grow.

``python benchmarks/anomalies.py`` starts a PostgreSQL of its own. First it times every method on one window of a series
with six weeks of history, in the core alone. Then it evaluates one installation again and again, with some rules, with
four times as many rules, and with fifty times as many events in the same tallies, and ends with one line of JSON:

- ``microseconds_per_window``: the dearest method's time for one window;
- ``cost_of_4x_rules``: how much dearer an evaluation is with four times the rules (4 would be in proportion);
- ``cost_of_50x_events``: how much dearer with fifty times the events (1: events do not matter).
"""

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

# As a script, Python looks for imports in this directory only, and the project is not installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.servers import set_up_django, temporary_servers
from telemetry.core.anomaly import Point, SurpriseScorer
from telemetry.core.anomaly.history import IndexedHistory
from telemetry.core.anomaly.rules import detector_of
from telemetry.core.enums import AnomalyMethod, PrivacyLevel, PropertyType, Statistic
from telemetry.core.spec import (
    AnomalyDetection,
    AnomalyRule,
    EventDefinition,
    PropertyDefinition,
    Semantics,
    TelemetryMeta,
    TelemetrySpec,
)

RULES, MANY = 10, 40
FEW_EVENTS, MANY_EVENTS = 20, 1_000
WINDOWS, ROUNDS = 12, 5
WIDTH = timedelta(minutes=5)
METHODS = [method for method in AnomalyMethod if method is not AnomalyMethod.SILENCE]


def time_methods() -> dict[str, float]:
    """Microseconds that each method takes for one window, its part of the history at hand."""
    start = datetime(2026, 1, 5, tzinfo=UTC)
    values = [100.0 + (index * 7919 % 37) + 40.0 * (index // 12 % 24) for index in range(43 * 288)]
    points = [Point(start + index * WIDTH, value, 100) for index, value in enumerate(values)]
    history, current = IndexedHistory(points[:-1]), points[-1]
    taken = {}
    for method in AnomalyMethod:
        rule = make_rule(0, method)
        if method is AnomalyMethod.SURPRISE:
            # Scores come from a scorer that has seen the series.
            scorer = SurpriseScorer(WIDTH)
            for point in points[-5000:-1]:
                scorer.score(point.start, point.value)
            taken[method.value] = fastest(lambda: scorer.score(current.start, current.value))  # noqa: B023
            continue
        detector, part = detector_of(rule, width=WIDTH), history.before(method, current.start)
        taken[method.value] = fastest(lambda: detector.judge(part, current))  # noqa: B023 - called at once
    return taken


def fastest(call: Callable[[], Any], calls: int = 50) -> float:
    """Microseconds of the fastest of several rounds: other work on the machine only ever adds time."""
    rounds = []
    for _ in range(7):
        begin = time.perf_counter()
        for _ in range(calls):
            call()
        rounds.append((time.perf_counter() - begin) / calls * 1e6)
    return min(rounds)


def make_rule(number: int, method: AnomalyMethod) -> AnomalyRule:
    """A rule on a count or a mean by turns, which nothing breaks."""
    is_count = method is AnomalyMethod.SILENCE or number % 2 == 0
    return AnomalyRule(
        name=f"rule_{number}",
        statistic=Statistic.COUNT if is_count else Statistic.MEAN,
        metric=None if is_count else "durationMs",
        method=method,
        max=1e12 if method is AnomalyMethod.LIMITS else None,
    )


def make_spec(name: str, rules: int) -> TelemetrySpec:
    """A spec with one event and so many rules, of all methods but silence."""
    event = EventDefinition(
        name=f"{name}.step",
        version=1,
        semantics=Semantics(what="A step was taken"),
        privacy=PrivacyLevel.INTERNAL,
        properties={"durationMs": PropertyDefinition(type=PropertyType.NUMBER)},
        anomaly_detection=AnomalyDetection(
            rules=tuple(make_rule(number, METHODS[number % len(METHODS)]) for number in range(rules))
        ),
    )
    return TelemetrySpec(meta=TelemetryMeta(name=name, version=1, title=name, owners=("@bench",)), events=(event,))


def time_installation(name: str, rules: int, events_per_window: int) -> float:
    """Seconds that the evaluation of one more window of an installation takes, the median of several."""
    from telemetry.models import EvaluationState
    from telemetry.services.anomalies.evaluation import evaluate_due
    from tenants.context import ALL, tenant_context

    installation = make_installation(name, rules)
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    taken = []
    for window in range(WINDOWS):
        send(installation, f"{name}.step", now + window * WIDTH, events_per_window)
        with tenant_context(ALL):
            EvaluationState.objects.exclude(installation=installation).update(due_at=now + timedelta(days=365))
        begin = time.perf_counter()
        evaluate_due(now=now + (window + 1) * WIDTH + timedelta(minutes=1))
        taken.append(time.perf_counter() - begin)
    # The first windows measure what lies before them.
    return median(taken[2:])


def make_installation(name: str, rules: int) -> Any:
    """An installation that obeys a spec of its own."""
    from telemetry.core.config import AppBlueprint, SpecPointer
    from telemetry.core.enums import Environment
    from telemetry.services.publishing import publish_version
    from telemetry.services.specs import create_spec
    from tenants.actors import SYSTEM
    from tenants.context import ALL, tenant_context
    from tenants.models import Installation
    from tenants.services.apps import create_app
    from tenants.services.installations import create_installation
    from tenants.services.tenants import create_tenant

    with tenant_context(ALL):
        record = create_spec(actor=SYSTEM, spec=make_spec(name, rules))
        publish_version(
            actor=SYSTEM, name=record.name, expected_revision=record.draft_revision, change_summary="For a benchmark"
        )
        app = create_app(actor=SYSTEM, slug=name, name=name, blueprint=AppBlueprint(spec=SpecPointer(name=record.name)))
        tenant = create_tenant(actor=SYSTEM, slug=name, name=name)
        made = create_installation(actor=SYSTEM, tenant=tenant, app=app, environment=Environment.PRODUCTION)
        return Installation.objects.select_related("tenant", "app").get(pk=made.pk)


def send(installation: Any, event: str, at: datetime, count: int) -> None:
    """So many events come in one batch."""
    from telemetry.core.enums import EventSource
    from telemetry.core.events import Envelope
    from telemetry.sdk.identifiers import new_event_id
    from telemetry.services.ingest.incoming import Incoming
    from telemetry.services.ingest.service import ingest_batch

    events = [
        Incoming(
            envelope=Envelope(
                id=new_event_id(), name=event, occurred_at=at, properties={"durationMs": 100.0 + number % 50}
            ),
            source=EventSource.BATCH,
        )
        for number in range(count)
    ]
    ingest_batch(installation=installation, events=events, received_at=at)


def main() -> None:
    """Measure and print."""
    methods = time_methods()
    for method, microseconds in methods.items():
        print(f"{method:<24}{microseconds:>10.1f} microseconds per window")
    with temporary_servers() as environment:
        set_up_django(environment)
        few = min(time_installation(f"few{number}", RULES, FEW_EVENTS) for number in range(ROUNDS))
        many = min(time_installation(f"many{number}", MANY, FEW_EVENTS) for number in range(ROUNDS))
        busy = min(time_installation(f"busy{number}", RULES, MANY_EVENTS) for number in range(ROUNDS))
    print(f"{RULES} rules, {FEW_EVENTS} events a window {few * 1e3:>10.1f} milliseconds")
    print(f"{MANY} rules, {FEW_EVENTS} events a window {many * 1e3:>10.1f} milliseconds")
    print(f"{RULES} rules, {MANY_EVENTS} events a window {busy * 1e3:>8.1f} milliseconds")
    ratios = {
        "microseconds_per_window": round(max(methods.values()), 1),
        "cost_of_4x_rules": round(many / few, 2),
        "cost_of_50x_events": round(busy / few, 2),
    }
    print(json.dumps(ratios))


if __name__ == "__main__":
    main()
