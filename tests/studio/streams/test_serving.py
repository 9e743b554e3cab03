"""Event streams over real connections: who is let in, what they hear, and what they survive."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.utils import timezone

from telemetry.core.config import EventOverride, PrivacyFloor, TenantOverride
from telemetry.core.enums import PrivacyLevel
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import FloorRecord, Installation
from tenants.roles import Scope
from tenants.services.config_schedules import schedule_config
from tenants.services.floors import save_floor
from tenants.services.keys import IssuedKey, revoke_key
from tenants.services.tenants import set_tenant_active
from tests.studio.api.calls import Caller
from tests.studio.streams.listeners import Event, Listener, StreamServer, stream_server, wait_until_free
from tests.telemetry.factories import make_installation, make_published
from tests.tenants.factories import accept_any, make_draft_config, make_key, make_published_config
from tests.tenants.leases import hang_up_on

pytestmark = pytest.mark.django_db(transaction=True)

STEP = "sigil.telemetry.workflow_step"


@pytest.fixture(scope="module")
def server(django_db_setup: None) -> Iterator[StreamServer]:
    with stream_server(STUDIO_STREAMS_PER_KEY="30", STUDIO_STREAMS_PER_PROCESS="300") as server:
        yield server


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


@pytest.fixture
def issued(installation: Installation) -> IssuedKey:
    return make_key(installation)


def publish(installation: Installation, rate: float) -> None:
    make_published_config(installation, TenantOverride(events={STEP: EventOverride(sampling_rate=rate)}))


def change_everything(days: int) -> None:
    """The organisation's floor is another, on which every installation depends."""
    with tenant_context(ALL):
        floor = FloorRecord.objects.filter(app=None).first()
        save_floor(
            actor=SYSTEM,
            app=None,
            floor=PrivacyFloor(maximum_retention_days={PrivacyLevel.SENSITIVE: days}),
            expected_revision=0 if floor is None else floor.config_revision,
        )


def present(key: str) -> tuple[int, str]:
    """Revision and tag of the config, as the key fetches it."""
    answer = Caller(key=key).get("/api/v1/config")
    return answer.json()["revision"], answer["ETag"]


def heard(event: Event | None) -> tuple[int, str]:
    assert event is not None
    assert event.name == "config"
    data: dict[str, Any] = json.loads(event.data)
    assert event.id == str(data["revision"])
    assert data.keys() == {"revision", "etag"}
    return data["revision"], data["etag"]


# What is heard


@pytest.mark.parametrize("scopes", [(Scope.CONFIG_READ,), (Scope.CONFIG_READ, Scope.CONFIG_SECRET)])
def test_a_client_hears_of_the_present_config_at_once(
    server: StreamServer, installation: Installation, scopes: tuple[Scope, ...]
) -> None:
    key = make_key(installation, *scopes).text

    with Listener(server.port, key) as listener:
        assert listener.status == 200
        assert listener.headers["content-type"] == "text/event-stream"
        assert listener.headers["cache-control"] == "no-store, no-transform"
        assert listener.headers["x-accel-buffering"] == "no"
        assert heard(listener.event()) == present(key)


def test_each_publication_is_heard_of_by_those_whom_it_concerns(
    server: StreamServer, installation: Installation, issued: IssuedKey
) -> None:
    other = make_installation("other")
    other_key = make_key(other).text
    with Listener(server.port, issued.text) as mine, Listener(server.port, other_key) as theirs:
        mine.event()
        theirs.event()

        publish(installation, 0.5)
        first = heard(mine.event())
        publish(other, 0.25)

        assert first == present(issued.text)
        assert heard(theirs.event()) == present(other_key)
        change_everything(30)
        assert heard(mine.event()) == present(issued.text)
        assert heard(theirs.event()) == present(other_key)


def test_who_comes_back_is_told_what_was_missed_and_nothing_twice(
    server: StreamServer, installation: Installation, issued: IssuedKey
) -> None:
    with Listener(server.port, issued.text) as listener:
        event = listener.event()
    assert event is not None

    with Listener(server.port, issued.text, last_event_id=event.id) as again:
        assert again.block() == "retry: 5000\n: welcome"
        publish(installation, 0.5)
        assert heard(again.event()) == present(issued.text)

    with Listener(server.port, issued.text, last_event_id=event.id) as late:
        assert heard(late.event()) == present(issued.text)


def test_a_planned_change_is_heard_of_at_its_instant_though_no_job_has_run(
    server: StreamServer, installation: Installation, issued: IssuedKey
) -> None:
    draft = make_draft_config(installation, TenantOverride(enabled=False))
    starts_at = timezone.now() + timedelta(seconds=1.5)
    with tenant_context(ALL):
        schedule_config(
            actor=SYSTEM,
            config=draft,
            change_summary="Quiet",
            expected_checksum=draft.checksum,
            expected_published_number=None,
            check=accept_any,
            starts_at=starts_at,
        )

    with Listener(server.port, issued.text) as listener:
        before = heard(listener.event())
        after = heard(listener.event())

    assert timezone.now() >= starts_at
    assert after[0] > before[0]
    assert after == present(issued.text)


def test_many_streams_all_hear_of_one_publication(server: StreamServer, installation: Installation) -> None:
    keys = [make_key(installation).text for _ in range(8)]
    listeners = [Listener(server.port, keys[number % 8]) for number in range(200)]
    for listener in listeners:
        listener.event()

    change_everything(30)

    assert {heard(listener.event()) for listener in listeners} == {present(keys[0])}
    for listener in listeners:
        listener.close()


# Who is let in, and for how long


def test_a_key_that_is_revoked_ends_its_streams(
    server: StreamServer, installation: Installation, issued: IssuedKey
) -> None:
    other = make_key(installation).text
    with Listener(server.port, issued.text) as listener, Listener(server.port, other) as staying:
        listener.event()
        staying.event()

        with tenant_context(ALL):
            revoke_key(actor=SYSTEM, key=issued.key)

        assert listener.event() is None
        publish(installation, 0.5)
        assert staying.event() is not None
    with Listener(server.port, issued.text) as again:
        assert again.status == 401


def test_a_key_that_expires_ends_its_streams(server: StreamServer, installation: Installation) -> None:
    expires_at = timezone.now() + timedelta(seconds=1.5)
    key = make_key(installation, expires_at=expires_at).text

    with Listener(server.port, key) as listener:
        listener.event()
        assert listener.event() is None

    assert timezone.now() >= expires_at


def test_a_tenant_that_is_deactivated_is_told_no_more(
    server: StreamServer, installation: Installation, issued: IssuedKey
) -> None:
    with Listener(server.port, issued.text) as listener:
        listener.event()

        with tenant_context(ALL):
            set_tenant_active(actor=SYSTEM, tenant=installation.tenant, is_active=False)

        assert listener.event() is None


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        ({"key": ""}, 401, "not_authenticated"),
        ({"key": "tgs_prd_app_guess"}, 401, "not_authenticated"),
        ({"method": "POST"}, 405, "method_not_allowed"),
        ({"path": "/api/v1/config/stream?key=x"}, 400, "invalid_query"),
        ({"path": "/api/v1/config"}, 404, "unknown_address"),
        ({"path": "/studio/"}, 404, "unknown_address"),
    ],
)
def test_everybody_else_is_told_why_not(
    server: StreamServer, issued: IssuedKey, request_: dict[str, str], status: int, code: str
) -> None:
    request: dict[str, Any] = {"key": issued.text, **request_}

    with Listener(server.port, **request) as listener:
        assert listener.status == status
        assert json.loads(listener.rest())["code"] == code


def test_a_key_that_may_not_read_configs_hears_of_none(server: StreamServer, installation: Installation) -> None:
    with Listener(server.port, make_key(installation, Scope.INGEST).text) as listener:
        assert listener.status == 403


def test_a_key_has_its_share_and_closing_gives_it_back(server: StreamServer, issued: IssuedKey) -> None:
    listeners = [Listener(server.port, issued.text) for _ in range(30)]
    for listener in listeners:
        listener.event()

    with Listener(server.port, issued.text) as one_more:
        assert one_more.status == 429
        assert json.loads(one_more.rest())["code"] == "too_many_streams"
        assert int(one_more.headers["retry-after"]) >= 30

    for listener in listeners:
        listener.close()
    wait_until_free(server, issued.text)


def test_a_process_that_is_full_says_when_to_come_back(installation: Installation, issued: IssuedKey) -> None:
    with stream_server(STUDIO_STREAMS_PER_PROCESS="2") as small:
        listeners = [Listener(small.port, issued.text) for _ in range(2)]
        for listener in listeners:
            listener.event()

        with Listener(small.port, issued.text) as one_more:
            assert one_more.status == 503
            assert json.loads(one_more.rest())["code"] == "unavailable"
            assert 30 <= int(one_more.headers["retry-after"]) <= 90

        listeners[0].close()
        wait_until_free(small, issued.text)
        listeners[1].close()


def test_the_process_that_answers_everything_else_sends_streams_away(issued: IssuedKey) -> None:
    answer = Caller(key=issued.text).get("/api/v1/config/stream")

    assert answer.status_code == 421
    assert answer.json()["code"] == "misdirected"


# What is survived


def test_a_worker_that_dies_is_replaced_and_clients_come_back(
    server: StreamServer, installation: Installation, issued: IssuedKey
) -> None:
    with Listener(server.port, issued.text) as listener:
        before = heard(listener.event())
        server.worker.kill()
        assert listener.event() is None
    publish(installation, 0.5)

    wait_until_free(server, issued.text)

    with Listener(server.port, issued.text, last_event_id=str(before[0])) as again:
        assert heard(again.event()) == present(issued.text)


def test_a_lost_connection_to_the_database_is_made_up_for(
    server: StreamServer, installation: Installation, issued: IssuedKey, owner_connection: psycopg.Connection
) -> None:
    with Listener(server.port, issued.text) as listener:
        listener.event()

        hang_up_on("studio streams", owner_connection)
        publish(installation, 0.5)

        assert heard(listener.event()) == present(issued.text)


def test_a_change_that_nobody_was_notified_of_is_found(
    server: StreamServer, installation: Installation, issued: IssuedKey, owner_connection: psycopg.Connection
) -> None:
    with Listener(server.port, issued.text) as listener:
        listener.event()

        # Without triggers, and so without a word.
        owner_connection.execute("SET session_replication_role = replica")
        owner_connection.execute("SET studio.tenant_ids = '*'")
        owner_connection.execute("UPDATE tenants_configrevisioncounter SET value = value + 1")
        owner_connection.execute(
            "UPDATE tenants_installation SET config_revision = (SELECT value FROM tenants_configrevisioncounter)"
        )

        assert heard(listener.event()) == present(issued.text)


def test_a_process_that_is_told_to_stop_ends_its_streams_first(issued: IssuedKey) -> None:
    with stream_server() as stopping, Listener(stopping.port, issued.text) as listener:
        listener.event()

        stopping.process.terminate()

        assert listener.event() is None
        assert stopping.process.wait() == 0
