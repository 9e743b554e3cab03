"""Workers that are killed at any point while they judge: each window once, each breach in one incident, told once."""

import os
import subprocess
import sys
from collections import Counter
from urllib.parse import quote

import pytest
from django.db import connection

from telemetry.core.enums import AnomalyAction
from telemetry.models import Incident, IncidentEntry, JudgedWindow, Notification
from tenants.context import ALL, tenant_context
from tests.telemetry.factories import make_channel, make_installation, make_published
from tests.telemetry.services.anomalies.test_evaluation import LAG, NOON, WIDTH, rule, send, start, watching

WINDOWS = 200
KILLS = 50
# Each child judges on from where the one before was killed; the last one may end.
WORKER = """
import os, random, signal, sys, time
from datetime import datetime, timedelta
import django
django.setup()
from telemetry.services.anomalies.evaluation import evaluate_due
first, count, kills = datetime.fromisoformat(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
chance, killed = random.Random(20261126), 0
for round_number in range(kills + 1):
    child = os.fork()
    if child == 0:
        for number in range(count):
            evaluate_due(now=first + number * timedelta(minutes=5))
        os._exit(0)
    if round_number < kills:
        time.sleep(chance.uniform(0.03, 0.15))
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    killed += os.WIFSIGNALED(status)
print(killed, os.WEXITSTATUS(status))
"""


@pytest.mark.django_db(transaction=True)
def test_workers_that_are_killed_while_they_judge_lose_no_window_and_tell_nobody_twice() -> None:
    make_published(watching(rule(max=2.0, actions=(AnomalyAction.ALERT,))))
    installation = make_installation()
    make_channel(installation.tenant, quiet_minutes=0)
    start(installation)
    # Each fourth window is in breach, and the three after it end its incident.
    for number in range(0, WINDOWS, 4):
        send(installation, NOON + number * WIDTH, [1.0] * 3)

    database = connection.settings_dict
    url = f"postgresql://{quote(database['USER'])}@/{database['NAME']}?host={quote(database['HOST'], safe='')}"
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "studio.settings.test"}
    command = [sys.executable, "-c", WORKER, (NOON + WIDTH + LAG).isoformat(), str(WINDOWS), str(KILLS)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

    killed, status = map(int, ended.stdout.split())
    assert (killed, status) == (KILLS, 0)
    with tenant_context(ALL):
        windows = JudgedWindow.objects.filter(is_history=False, start__gte=NOON)
        assert windows.count() == WINDOWS
        assert set(windows.values_list("judgements", flat=True)) == {1}
        assert windows.filter(breach="high").count() == WINDOWS // 4
        assert list(Incident.objects.values_list("breaches", flat=True)) == [1] * (WINDOWS // 4)
        transitions = Counter(IncidentEntry.objects.values_list("kind", flat=True))
        told = Counter(Notification.objects.values_list("kind", flat=True))
    assert told == transitions == {"opened": WINDOWS // 4, "resolved": WINDOWS // 4}
