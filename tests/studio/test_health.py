"""The probes of this process and of the servers behind it."""

import logging
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from studio.embedded import valkey_server
from studio.tasks import heartbeat
from telemetry.models import EvaluationState
from telemetry.services.anomalies.evaluation import evaluate_due
from telemetry.services.partitions import ensure_partitions
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.tenants.factories import make_installation

NOBODY = "redis://127.0.0.1:1/0"


@pytest.fixture
def broker(settings: Settings, redis_url: str) -> None:
    settings.REDIS_URL = redis_url


def test_a_living_process_says_so_without_asking_anybody(client: Client) -> None:
    # When the probe asks by address, over plain HTTP, in a studio that answers by name and over HTTPS only.
    response = client.get("/healthz", headers={"host": "10.1.2.3:8000"})

    assert (response.status_code, response.json()) == (200, {"ok": True})
    assert not response.cookies


@pytest.mark.django_db
def test_a_studio_with_database_and_broker_is_ready(client: Client, broker: None) -> None:
    cache.clear()

    response = client.get("/readyz", headers={"host": "10.1.2.3:8000"})

    assert response.status_code == 200
    assert response.json() == {
        "ok": True,
        "database": "ok",
        "broker": "ok",
        "worker": "stale",
        "events": "ok",
        "anomalies": "ok",
    }


@pytest.mark.django_db
def test_a_heartbeat_shows_that_jobs_run(client: Client, broker: None) -> None:
    heartbeat()
    heartbeat()

    assert client.get("/readyz").json()["worker"] == "ok"


@pytest.mark.django_db
def test_a_silent_broker_makes_the_studio_unready_and_is_named_in_the_log_only(
    client: Client, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.REDIS_URL = "redis://:hunter2@127.0.0.1:1/0"

    with caplog.at_level(logging.WARNING, "studio.health"):
        response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json() == {
        "ok": False,
        "database": "ok",
        "broker": "down",
        "worker": "stale",
        "events": "ok",
        "anomalies": "ok",
    }
    records = [record for record in caplog.records if record.name == "studio.health"]
    assert [(record.message, record.__dict__["dependency"]) for record in records] == [("health.failed", "broker")]
    assert "hunter2" not in caplog.text


@pytest.mark.django_db
def test_a_broker_that_accepts_and_never_answers_makes_the_studio_unready(client: Client, settings: Settings) -> None:
    with TemporaryDirectory() as directory, valkey_server(Path(directory) / "valkey", durable=False) as server:
        settings.REDIS_URL = server.url
        server.process.send_signal(signal.SIGSTOP)
        try:
            response = client.get("/readyz")
        finally:
            server.process.send_signal(signal.SIGCONT)

    assert (response.status_code, response.json()["broker"]) == (503, "down")


@pytest.mark.django_db
def test_a_missing_database_makes_the_studio_unready(
    client: Client, broker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "HOST", "/nonexistent")

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["database"] == "down"
    assert response.json()["broker"] == "ok"


@pytest.mark.django_db
def test_readiness_leaves_the_connection_of_requests_alone(
    client: Client, broker: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        client.get("/readyz")


@pytest.mark.django_db(transaction=True)
def test_events_that_will_have_no_place_in_two_days_are_told_of(
    client: Client, owner_connection: psycopg.Connection
) -> None:
    soon = datetime.now(UTC).date() + timedelta(days=2)
    owner_connection.execute(f"DROP TABLE telemetry_storedevent_d7_{soon:%Y%m%d}")

    try:
        assert client.get("/readyz").json()["events"] == "running_out"
    finally:
        ensure_partitions()


@pytest.mark.django_db(transaction=True)
def test_anomalies_that_nobody_judges_are_told_of(client: Client, broker: None) -> None:
    installation = make_installation()
    assert client.get("/readyz").json()["anomalies"] == "ok"

    with tenant_context(ALL):
        Installation.objects.filter(pk=installation.pk).update(created_at=timezone.now() - timedelta(minutes=11))
    assert client.get("/readyz").json()["anomalies"] == "late"

    evaluate_due()
    assert client.get("/readyz").json()["anomalies"] == "ok"
    with tenant_context(ALL):
        EvaluationState.objects.update(due_at=timezone.now() - timedelta(minutes=11))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["anomalies"]) == (200, "late")
