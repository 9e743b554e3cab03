"""Keys at the addresses that apps call: wrong, ended, for something else, or in the wrong place, they open nothing."""

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from telemetry.models import StoredEvent
from telemetry.sdk.identifiers import new_event_id
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Scope
from tenants.services.keys import IssuedKey, revoke_key
from tests.studio.api.calls import Caller, queries_of
from tests.telemetry.factories import make_installation, make_published
from tests.tenants.factories import make_key

pytestmark = pytest.mark.django_db

Call = Callable[[dict[str, str]], Any]


def body() -> dict[str, Any]:
    step = {"workflow": "deploy", "step": "build"}
    event = {"id": new_event_id(), "name": "sigil.telemetry.workflow_step", "properties": step}
    return {"events": [{**event, "occurredAt": timezone.now().isoformat()}]}


def send_batch(headers: dict[str, str]) -> Any:
    return Client().post("/api/v1/events/batch", json.dumps(body()), content_type="application/json", headers=headers)


def send_records(headers: dict[str, str]) -> Any:
    return Client().post("/ingest/otlp/v1/logs", "{}", content_type="application/json", headers=headers)


def fetch_config(headers: dict[str, str]) -> Any:
    return Client().get("/api/v1/config", headers=headers)


ADDRESSES: list[Call] = [send_batch, send_records, fetch_config]


def bearing(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


@pytest.fixture
def issued(installation: Installation) -> IssuedKey:
    return make_key(installation)


def nothing_stored() -> bool:
    with tenant_context(ALL):
        return not StoredEvent.objects.exists()


# 62 and 63


@pytest.mark.parametrize("call", ADDRESSES)
def test_without_a_key_there_is_nothing(issued: IssuedKey, call: Call) -> None:
    assert call({}).status_code == 401
    assert nothing_stored()


@pytest.mark.parametrize("call", ADDRESSES)
def test_a_key_whose_checksum_is_wrong_costs_no_question_to_the_database(issued: IssuedKey, call: Call) -> None:
    wrong = issued.text[:-1] + ("a" if issued.text[-1] != "a" else "b")
    answers: list[Any] = []

    statements = queries_of(lambda: answers.append(call(bearing(wrong))))

    assert [answer.status_code for answer in answers] == [401]
    assert statements == []
    assert nothing_stored()


# 64 and 65


@pytest.mark.parametrize("call", ADDRESSES)
def test_a_revoked_key_is_refused_at_once_and_for_good(issued: IssuedKey, call: Call) -> None:
    assert call(bearing(issued.text)).status_code == 200
    with tenant_context(ALL):
        before = StoredEvent.objects.count()
        revoke_key(actor=SYSTEM, key=issued.key)

    assert [call(bearing(issued.text)).status_code for _ in range(3)] == [401] * 3
    with tenant_context(ALL):
        assert StoredEvent.objects.count() == before


@pytest.mark.parametrize("call", ADDRESSES)
def test_an_expired_key_is_refused(installation: Installation, call: Call) -> None:
    soon = make_key(installation, expires_at=timezone.now() + timedelta(hours=1))
    assert call(bearing(soon.text)).status_code == 200
    with tenant_context(ALL):
        type(soon.key).objects.filter(pk=soon.key.pk).update(expires_at=timezone.now() - timedelta(seconds=1))

    assert call(bearing(soon.text)).status_code == 401


# 66 and 67


def test_a_key_that_sends_reads_nothing_back(installation: Installation) -> None:
    sender = Caller(key=make_key(installation, Scope.INGEST).text)
    readable = ("config", "specs", "events", "events.csv", "violations", "violations.csv", "providers", "quarantine")

    statuses = {path: sender.get(f"/api/v1/{path}").status_code for path in readable}

    assert statuses == dict.fromkeys(readable, 403)
    # The admin site knows no keys at all.
    assert sender.get("/studio/").status_code == 302


def test_a_key_that_reads_configs_sends_nothing(installation: Installation) -> None:
    reader = make_key(installation, Scope.CONFIG_READ).text

    assert [call(bearing(reader)).status_code for call in (send_batch, send_records)] == [403, 403]
    assert nothing_stored()


# 68 and 69


@pytest.mark.parametrize("name", ["key", "api_key", "access_token", "authorization", "Authorization"])
def test_a_key_anywhere_but_in_its_header_is_none_and_is_not_logged(
    issued: IssuedKey, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = Client()
    client.cookies[name] = issued.text
    content = json.dumps({**body(), name: issued.text})

    statuses = [
        client.get(f"/api/v1/config?{name}={issued.text}").status_code,
        client.get("/api/v1/config").status_code,
        client.post(f"/api/v1/events/batch?{name}={issued.text}", content, content_type="application/json").status_code,
        client.post("/api/v1/events/batch", content, content_type="application/json").status_code,
        client.post("/ingest/otlp/v1/logs", content, content_type="application/json").status_code,
    ]

    assert statuses == [401] * 5
    assert nothing_stored()
    assert issued.text.rpartition("_")[2] not in caplog.text
