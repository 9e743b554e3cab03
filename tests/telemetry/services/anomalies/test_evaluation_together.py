"""Several workers at once: every window is judged by one of them, and is in one incident."""

import pytest

from telemetry.core.spec import AnomalyRule
from telemetry.models import Incident, JudgedWindow
from telemetry.tasks import evaluate_anomalies, forget_old_anomaly_windows
from tenants.context import ALL, tenant_context
from tests.telemetry.factories import make_installation, make_published
from tests.telemetry.services.anomalies.test_evaluation import LAG, NOON, WIDTH, judge, rule, send, start, watching
from tests.tenants.together import run_together

pytestmark = pytest.mark.django_db(transaction=True)


def test_workers_at_once_judge_each_window_once() -> None:
    limit: AnomalyRule = rule(max=2.0)
    make_published(watching(limit))
    installations = [make_installation(slug) for slug in ("acme", "globex", "initech")]
    for installation in installations:
        start(installation)

    for index in range(4):
        for installation in installations:
            send(installation, NOON + index * WIDTH, [1.0] * 3)
        now = NOON + (index + 1) * WIDTH + LAG
        evaluated = run_together(*(lambda: judge(now) for _ in range(4)))  # noqa: B023 - called before the next round
        assert sum(count for count in evaluated if isinstance(count, int)) == len(installations)

    with tenant_context(ALL):
        assert sorted(Incident.objects.values_list("installation_id", "breaches")) == sorted(
            (installation.pk, 4) for installation in installations
        )
        assert JudgedWindow.objects.filter(breach="high").count() == 4 * len(installations)


def test_running_the_jobs_twice_changes_nothing_more() -> None:
    make_published(watching(rule(max=2.0)))
    make_installation()

    evaluate_anomalies()
    with tenant_context(ALL):
        judged = list(JudgedWindow.objects.values())
    evaluate_anomalies()
    forget_old_anomaly_windows()
    forget_old_anomaly_windows()

    with tenant_context(ALL):
        assert list(JudgedWindow.objects.values()) == judged
