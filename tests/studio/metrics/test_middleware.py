"""``/metrics``: for who has the token only, with every request, the events, and what the database tells."""

from datetime import timedelta
from typing import Never

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from telemetry.models import DeliveryRecord, EvaluationState, Incident, Notification
from telemetry.sdk.identifiers import new_event_id
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Scope
from tests.studio.api.calls import Caller
from tests.telemetry.factories import (
    ingest,
    make_channel,
    make_incoming,
    make_installation,
    make_provider,
    make_published,
)
from tests.tenants.factories import make_key

TOKEN = "a token of thirty-two characters, at least"


@pytest.fixture
def token(settings: Settings) -> str:
    settings.STUDIO_METRICS_TOKEN = TOKEN
    return TOKEN


def scrape(client: Client) -> dict[str, float]:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}", "host": "10.1.2.3:8000"})
    assert answer.status_code == 200
    lines = [line for line in answer.content.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_without_the_setting_there_is_no_such_address(client: Client, settings: Settings) -> None:
    settings.STUDIO_METRICS_TOKEN = ""

    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": f"Bearer {TOKEN}"}):
        assert client.get("/metrics", headers=headers).status_code == 404


@pytest.mark.parametrize(
    "given", ["", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer é"]
)
def test_without_the_token_nothing_is_told(client: Client, token: str, given: str) -> None:
    answer = client.get("/metrics", headers={"Authorization": given})

    assert (answer.status_code, answer.content) == (401, b"")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert client.get(f"/metrics?token={TOKEN}").status_code == 401


@pytest.mark.django_db
def test_it_is_only_read_and_nobody_keeps_the_answer(client: Client, token: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}

    answer = client.get("/metrics", headers=headers)

    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert answer.headers["Cache-Control"] == "no-store"
    assert client.post("/metrics", headers=headers).status_code == 405


@pytest.mark.django_db
def test_requests_are_counted_by_route_and_never_by_what_stands_in_it(client: Client, token: str) -> None:
    before = scrape(client)

    for number in range(3):
        client.get(f"/api/v1/specs/secret-{number}")
        client.get(f"/api/v1/made-up-{number}")
        client.get(f"/studio-made-up-{number}")

    after = scrape(client)
    routed = 'studio_http_requests_total{method="GET",route="/api/v1/specs/<spec_name:name>",status="401",way="django"}'
    other = 'studio_http_requests_total{method="GET",route="other",status="404",way="django"}'
    assert after[routed] - before.get(routed, 0) == 3
    assert after[other] - before.get(other, 0) == 6
    assert not any("secret" in name or "made-up" in name for name in after)


@pytest.mark.django_db
def test_events_are_counted_by_entry_and_outcome(client: Client, token: str) -> None:
    make_published()
    installation = make_installation()
    caller = Caller(key=make_key(installation, Scope.INGEST).text)
    step = {
        "id": new_event_id(),
        "name": "sigil.telemetry.workflow_step",
        "occurredAt": timezone.now().isoformat(),
        "properties": {"workflow": "deploy", "step": "build"},
    }
    before = scrape(client)

    caller.post("/api/v1/events/batch", {"events": [step, {**step, "id": new_event_id(), "name": "unknown"}]})

    after = scrape(client)
    for outcome in ("stored", "rejected"):
        name = f'studio_ingest_events_total{{entry="batch",outcome="{outcome}"}}'
        assert after[name] - before.get(name, 0) == 1


@pytest.mark.django_db
def test_what_waits_and_how_far_jobs_have_come_is_measured_for_all_tenants_without_their_names(
    client: Client, token: str
) -> None:
    make_published()
    for slug in ("acme", "globex"):
        _leave_traces(make_installation(slug))

    found = scrape(client)

    assert found["studio_database_up"] == 1
    assert found['studio_deliveries_waiting_events{kind="webhook"}'] == 4
    assert found['studio_deliveries_waiting_events{kind="posthog"}'] == 0
    assert 600 <= found['studio_deliveries_oldest_waiting_seconds{kind="webhook"}'] < 4_000
    assert found['studio_dead_letter_events{kind="webhook"}'] == 2
    assert (found['studio_providers{state="delivering"}'], found['studio_providers{state="off"}']) == (2, 2)
    assert found['studio_notifications_waiting{kind="webhook"}'] == 2
    assert found['studio_notifications_dead{kind="webhook"}'] == 0
    assert (found['studio_incidents{status="open"}'], found['studio_incidents{status="muted"}']) == (2, 0)
    assert found["studio_anomaly_evaluations_due"] == 2
    assert 300 <= found["studio_anomaly_evaluation_lag_seconds"] < 4_000
    assert found["studio_event_partitions_ahead_days"] >= 14
    assert found["studio_config_readers"] >= found["studio_config_readers_behind"] >= 0
    text = " ".join(found)
    assert not any(word in text for word in ("acme", "globex", "workflow", "hook 1"))


@pytest.mark.django_db
def test_while_the_database_is_away_the_counts_are_told_all_the_same(
    client: Client, token: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: object) -> Never:
        raise OperationalError("connection to 10.1.2.3 failed for user canary")

    client.get("/api/v1/specs")
    monkeypatch.setattr("studio.metrics.database.tenant_context", away)

    found = scrape(client)

    assert found["studio_database_up"] == 0
    assert any(name.startswith("studio_http_requests_total") for name in found)
    assert not any(name.startswith("studio_deliveries") for name in found)
    assert "canary" not in caplog.text


def _leave_traces(installation: Installation) -> None:
    """Two events wait, one is a dead letter, one provider is off, an incident is open, an alert waits."""
    now = timezone.now()
    channel = make_channel(installation.tenant)
    make_provider(installation, name="hook 1")
    make_provider(installation, name="hook 2", is_enabled=False)
    ingest(installation, make_incoming())
    with tenant_context(ALL):
        DeliveryRecord.objects.filter(installation=installation).update(state="dead", settled_at=now)
    ingest(installation, make_incoming(), make_incoming())
    with tenant_context(ALL):
        waiting = DeliveryRecord.objects.filter(installation=installation, state="waiting")
        waiting.update(created_at=now - timedelta(minutes=10))
        Notification.objects.create(tenant_id=installation.tenant_id, channel=channel, kind="test")
        EvaluationState.objects.create(
            tenant_id=installation.tenant_id,
            installation=installation,
            due_at=now - timedelta(minutes=5),
            checked_at=now - timedelta(minutes=6),
        )
        Incident.objects.create(
            tenant_id=installation.tenant_id,
            installation=installation,
            event_name="sigil.telemetry.workflow_step",
            event_version=1,
            rule="slow",
            rule_words="durationMs above 1500",
            minutes=60,
            side="high",
            first_window=now,
            last_breach_at=now,
            peak_words="durationMs was 2000",
            opened_at=now,
        )
