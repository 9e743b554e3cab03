"""Who sends events is remembered under the config lease, and forgotten the moment anything changes."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from telemetry.core.config import EventOverride, TenantOverride
from telemetry.models import StoredEvent
from telemetry.sdk.identifiers import new_event_id
from tenants.actors import SYSTEM
from tenants.config_lease import PROCESS_LEASE
from tenants.context import ALL, tenant_context
from tenants.models import ApiKey, Installation
from tenants.roles import Scope
from tenants.services.keys import IssuedKey, revoke_key
from tenants.services.tenants import renew_pseudonym_key, set_tenant_active
from tests.studio.api.calls import Caller, code_of
from tests.telemetry.factories import make_installation, make_published
from tests.tenants.factories import make_key, make_published_config
from tests.tenants.leases import held

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/api/v1/events/batch"
STEP = "sigil.telemetry.workflow_step"


@pytest.fixture
def lease() -> Iterator[None]:
    with held() as found:
        PROCESS_LEASE.lease = found
        yield
        PROCESS_LEASE.lease = None


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


@pytest.fixture
def issued(installation: Installation) -> IssuedKey:
    return make_key(installation, Scope.INGEST)


def send(key: str, **fields: Any) -> Any:
    event = {
        "id": new_event_id(),
        "name": STEP,
        "occurredAt": datetime.now(UTC).isoformat(),
        "properties": {"workflow": "deploy", "step": "build"},
        **fields,
    }
    return Caller(key=key).post(PATH, {"events": [event]})


def asks_for_the_key(key: str) -> bool:
    with CaptureQueriesContext(connection) as queries:
        assert send(key).status_code == 200
    return any("tenants_apikey" in query["sql"] for query in queries.captured_queries)


def test_a_key_is_checked_once(lease: None, issued: IssuedKey) -> None:
    assert [asks_for_the_key(issued.text) for _ in range(3)] == [True, False, False]


def test_without_a_lease_a_key_is_checked_each_time(issued: IssuedKey) -> None:
    assert [asks_for_the_key(issued.text) for _ in range(2)] == [True, True]


def test_a_revoked_key_is_refused_at_once(lease: None, issued: IssuedKey) -> None:
    send(issued.text)
    with tenant_context(ALL):
        revoke_key(actor=SYSTEM, key=issued.key)

    assert send(issued.text).status_code == 401


def test_a_key_is_refused_when_it_has_expired(
    lease: None, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=5)
    with tenant_context(ALL):
        issued = make_key(installation, Scope.INGEST, expires_at=soon)
    send(issued.text)
    with tenant_context(ALL):
        ApiKey.objects.filter(pk=issued.key.pk).update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    monkeypatch.setattr(time, "time", lambda: soon.timestamp())

    assert send(issued.text).status_code == 401


def test_the_key_of_a_tenant_that_was_switched_off_is_refused_at_once(
    lease: None, installation: Installation, issued: IssuedKey
) -> None:
    send(issued.text)
    with tenant_context(ALL):
        set_tenant_active(actor=SYSTEM, tenant=installation.tenant, is_active=False)

    assert send(issued.text).status_code == 401


def test_an_override_holds_for_the_next_batch(lease: None, installation: Installation, issued: IssuedKey) -> None:
    send(issued.text)
    make_published_config(installation, TenantOverride(events={STEP: EventOverride(enabled=False)}))

    assert send(issued.text).json()["disabled"] == 1


def test_a_renewed_pseudonym_key_holds_for_the_next_batch(
    lease: None, installation: Installation, issued: IssuedKey
) -> None:
    send(issued.text, context={"userId": "alice"})
    with tenant_context(ALL):
        renew_pseudonym_key(actor=SYSTEM, tenant=installation.tenant)
    send(issued.text, context={"userId": "alice"})

    with tenant_context(ALL):
        users = {each.context["userId"].split("_")[0] for each in StoredEvent.objects.all()}
    assert users == {"p1", "p2"}


def test_a_key_for_something_else_is_refused_again_and_again(lease: None, installation: Installation) -> None:
    reader = make_key(installation, Scope.CONFIG_READ)

    answers = [send(reader.text) for _ in range(2)]

    assert [(answer.status_code, code_of(answer)) for answer in answers] == [(403, "not_allowed")] * 2


def test_too_many_requests_are_held_back(lease: None, issued: IssuedKey, settings: Any) -> None:
    settings.STUDIO_REQUESTS_PER_MINUTE = 2

    answers = [send(issued.text).status_code for _ in range(4)]

    assert answers == [200, 200, 429, 429]
