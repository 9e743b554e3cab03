"""Which refused events are held, and that nothing of them can be read."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from telemetry.core.config import PrivacyFloor
from telemetry.core.enums import PrivacyLevel, UndeclaredPolicy
from telemetry.core.events import Context
from telemetry.core.spec import Quarantine
from telemetry.models import HeldEvent
from telemetry.services.ingest.incoming import Incoming
from telemetry.services.quarantine.purging import purge_held_events
from telemetry.services.quarantine.sealed import open_envelope
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.pseudonym_key import installation_pseudonym_key
from tenants.services.floors import save_floor
from tests.telemetry.factories import everything_stored, ingest, make_incoming, make_installation, make_published
from tests.telemetry.services.quarantine.held import STEP, held, make_holding_spec
from tests.telemetry.services.test_violations import with_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def installation() -> Installation:
    make_published(make_holding_spec())
    return make_installation()


def bad(**properties: Any) -> Incoming:
    return make_incoming(properties={"durationMs": 1, **properties})


def test_a_refused_event_is_held_sealed_with_what_was_wrong(installation: Installation) -> None:
    sent = bad(note="x")

    ingest(installation, with_version(sent, "2.4.0"), make_incoming(properties={"step": "fine"}))

    (row,) = held()
    assert sent.envelope is not None
    assert (row.event_id, row.event_name) == (UUID(sent.envelope.id), STEP)
    assert row.reason == "missing_required properties.step; undeclared_property properties.note"
    assert (row.source, row.app_version) == ("batch", "2.4.0")
    assert row.expires_at - row.received_at == timedelta(days=7)
    opened = open_envelope(installation.tenant_id, bytes(row.sealed))
    assert opened is not None
    assert opened.properties == sent.envelope.properties


def test_nothing_of_it_can_be_read(installation: Installation) -> None:
    canary = "canary.person@example.com"
    context = Context(user_id=canary, metadata={"origin": canary})

    ingest(
        installation,
        make_incoming(properties={"note": canary, canary: 1}, context=context),
        make_incoming(name="opened.by.4915112345678", context=context),
    )

    stored = everything_stored()
    assert len(stored["telemetry.HeldEvent"]) == 2
    shown = json.dumps(
        [{**row, "sealed": bytes(row["sealed"]).decode("latin-1")} for row in stored["telemetry.HeldEvent"]],
        default=str,
    )
    assert "canary" not in shown
    assert "4915112345678" not in shown
    assert "properties[?]" in shown


def test_whom_it_is_about_is_known_by_pseudonym(installation: Installation) -> None:
    ingest(installation, make_incoming(properties={}, context=Context(user_id="alice", session_id="s-1")))

    (row,) = held()
    with tenant_context(ALL):
        key = installation_pseudonym_key(installation.tenant)
    assert len(row.subjects) == 2
    assert all(subject.startswith(f"p{key.epoch}_") for subject in row.subjects)
    with tenant_context(ALL):
        assert HeldEvent.objects.filter(subjects__overlap=[row.subjects[0]]).exists()


@pytest.mark.parametrize("spec", [make_holding_spec(Quarantine(enabled=False)), None], ids=["off", "not said"])
def test_nothing_is_held_unless_the_spec_says_so(spec: Any) -> None:
    make_published(spec)

    ingest(make_installation(), bad())

    assert held() == []


def test_nothing_is_held_where_a_floor_forbids_it(installation: Installation) -> None:
    with tenant_context(ALL):
        save_floor(actor=SYSTEM, app=None, floor=PrivacyFloor(forbid_quarantine=True), expected_revision=0)

    ingest(installation, bad())

    assert held() == []


def test_nothing_is_held_without_a_secret(installation: Installation, settings: Settings) -> None:
    settings.STUDIO_QUARANTINE_KEYS = []

    ingest(installation, bad())

    assert held() == []


def test_sensitive_events_are_never_held() -> None:
    make_published(make_holding_spec(privacy=PrivacyLevel.SENSITIVE))

    ingest(make_installation(), bad(), make_incoming(name="unknown"))

    assert [row.event_name for row in held()] == ["unknown"]


def test_what_cannot_be_mended_is_not_held(installation: Installation) -> None:
    too_old = make_incoming(event_id="01900000-0000-7000-8000-000000000000", properties={})
    unreadable = Incoming(envelope=None, source=too_old.source)
    huge = bad(note="x" * 300_000)

    ingest(installation, too_old, unreadable, huge)

    assert held() == []


def test_an_event_that_comes_again_is_held_once(installation: Installation) -> None:
    sent = bad()

    ingest(installation, sent, sent)
    ingest(installation, sent)

    assert len(held()) == 1


def test_an_installation_holds_no_more_than_the_limit(installation: Installation, settings: Settings) -> None:
    settings.STUDIO_QUARANTINE_MAX_EVENTS = 3

    ingest(installation, bad(), bad())
    ingest(installation, bad(), bad())
    ingest(make_installation("globex"), bad())

    with tenant_context((installation.tenant_id,)):
        assert HeldEvent.objects.count() == 3
    assert len(held()) == 4


def test_undeclared_properties_are_held_with_their_event_under_that_policy() -> None:
    make_published(make_holding_spec(undeclared=UndeclaredPolicy.QUARANTINE))

    ingest(make_installation(), make_incoming(properties={"step": "a", "colour": "red"}))

    assert [row.reason for row in held()] == ["undeclared_property properties.colour"]


def test_a_batch_without_refusals_asks_nothing(installation: Installation) -> None:
    with CaptureQueriesContext(connection) as queries:
        ingest(installation, make_incoming(properties={"step": "fine"}))

    assert not [query for query in queries if "heldevent" in query["sql"]]


# Letting go


def test_what_has_expired_goes_and_running_twice_changes_nothing_more(installation: Installation) -> None:
    ingest(installation, bad(), bad(), bad())
    first, second, _ = held()
    with tenant_context(ALL):
        HeldEvent.objects.filter(pk__in=(first.pk, second.pk)).update(expires_at=first.received_at)

    assert purge_held_events() == 2
    assert purge_held_events() == 0
    assert len(held()) == 1


def test_a_floor_that_forbids_holding_empties_what_is_held(installation: Installation) -> None:
    ingest(installation, bad())
    with tenant_context(ALL):
        save_floor(actor=SYSTEM, app=None, floor=PrivacyFloor(forbid_quarantine=True), expected_revision=0)

    assert purge_held_events() == 1
    assert held() == []


def test_more_than_a_portion_goes_in_portions(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.services.quarantine.purging.PORTION", 2)
    ingest(installation, *(bad() for _ in range(5)))
    with tenant_context(ALL):
        HeldEvent.objects.update(expires_at=held()[0].received_at)

    assert purge_held_events() == 5
