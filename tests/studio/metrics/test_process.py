"""What processes count: together, whichever of them is asked."""

import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings
from prometheus_client import generate_latest

from studio.metrics.process import count_config_from_memory, count_ingested, count_request, counted
from telemetry.core.enums import EventOutcome

COUNT = """
import django
django.setup()
from studio.metrics.process import count_config_from_memory, count_ingested, count_request, counted
from telemetry.core.enums import EventOutcome
count_config_from_memory(unchanged=True)
count_request(method="POST", route="/api/v1/events/batch", status=200, seconds=0.01)
count_ingested("batch", {EventOutcome.STORED: 3, EventOutcome.REJECTED: 0})
from prometheus_client import generate_latest
print(generate_latest(counted()).decode())
"""
FROM_MEMORY = 'studio_http_requests_total{method="GET",route="/api/v1/config",status="304",way="memory"}'


def value_of(name: str, text: str) -> float:
    [found] = [line for line in text.splitlines() if line.startswith(f"{name} ")]
    return float(found.rpartition(" ")[2])


def test_processes_that_share_a_directory_tell_for_all(tmp_path: Path) -> None:
    environment = {**os.environ, "STUDIO_METRICS_DIR": str(tmp_path / "metrics")}

    texts = [
        subprocess.run(
            [sys.executable, "-c", COUNT],
            env=environment,
            cwd=settings.BASE_DIR,
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for _ in range(3)
    ]

    assert [value_of(FROM_MEMORY, text) for text in texts] == [1, 2, 3]
    assert value_of('studio_ingest_events_total{entry="batch",outcome="stored"}', texts[2]) == 9
    assert value_of('studio_http_request_seconds_count{route="/api/v1/events/batch"}', texts[2]) == 3
    assert 'outcome="rejected"' not in texts[2]


def test_a_process_by_itself_counts_in_memory_and_invented_methods_as_one() -> None:
    def now(name: str) -> float:
        return value_of(name, generate_latest(counted()).decode())

    count_config_from_memory(unchanged=True)
    before = now(FROM_MEMORY)
    for method in ("BREW", "PROPFIND"):
        count_request(method=method, route="other", status=405, seconds=0.001)
    count_config_from_memory(unchanged=True)
    count_ingested("batch", {EventOutcome.DUPLICATE: 1})

    assert now(FROM_MEMORY) == before + 1
    assert now('studio_http_requests_total{method="other",route="other",status="405",way="django"}') >= 2
    assert "BREW" not in generate_latest(counted()).decode()
