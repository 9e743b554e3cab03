"""A few events are kept for hours: harmless, sealed, one of each kind, and gone in time."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from telemetry.core.events import Context
from telemetry.models import SampledEvent
from telemetry.services.what_if import sampling
from telemetry.services.what_if.sampling import forget_samples, open_sample
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.core.builders import make_event, make_property, make_spec
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published
from tests.tenants.factories import make_tenant

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sampled")]

MAIL = "alice@example.com"


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


def kept() -> list[tuple[str, int, str]]:
    with tenant_context(ALL):
        rows = SampledEvent.objects.order_by("id").values_list("event_name", "event_version", "outcome")
        return [(name.rpartition(".")[2], version, outcome) for name, version, outcome in rows]


def opened() -> list[dict[str, Any]]:
    with tenant_context(ALL):
        rows = list(SampledEvent.objects.order_by("id"))
    envelopes = [open_sample(row.tenant_id, bytes(row.sealed)) for row in rows]
    return [dict(envelope.properties) for envelope in envelopes if envelope is not None]


def test_one_event_of_each_kind_is_kept_however_many_come(installation: Installation) -> None:
    incomplete = {"workflow": "deploy"}
    for _ in range(3):
        unknown, refused = make_incoming(name="nobody.knows"), make_incoming(properties=incomplete)
        ingest(installation, make_incoming(), make_incoming(), refused, unknown)

    assert sorted(kept()) == [
        ("knows", 0, "rejected"),
        ("workflow_step", 1, "rejected"),
        ("workflow_step", 1, "stored"),
    ]


def test_what_is_hidden_and_who_it_was_is_not_in_it(installation: Installation) -> None:
    properties = {"workflow": "deploy", "step": "build", "durationMs": 120, "userId": MAIL, "note": MAIL, MAIL: 1}
    ingest(installation, make_incoming(properties=properties, context=Context(user_id=MAIL, channel="web")))

    with tenant_context(ALL):
        (row,) = SampledEvent.objects.all()
    envelope = open_sample(row.tenant_id, bytes(row.sealed))

    assert envelope is not None
    assert dict(envelope.properties) == {
        "workflow": "deploy",
        "step": "build",
        "durationMs": 120,
        "userId": "REDACTED",
        "note": "REDACTED",
    }
    assert envelope.context == Context(channel="web")
    assert MAIL not in repr(envelope)
    assert b"deploy" not in bytes(row.sealed)


def test_a_hidden_value_stays_valid() -> None:
    plans = make_property(pii=True, redact=True, allowed_values=("free", "paid"))
    born = make_property("timestamp", pii=True, redact=True)
    make_published(make_spec(make_event("signup", properties={"plan": plans, "born": born}), name="sigil.telemetry"))
    installation = make_installation()

    ingest(installation, make_incoming(name="signup", properties={"plan": "paid", "born": "1980-01-01T00:00:00Z"}))

    (properties,) = opened()
    assert properties["plan"] == "free"
    assert "1980" not in properties["born"]
    assert [outcome for *_, outcome in kept()] == ["stored"]


def test_a_value_of_the_wrong_type_stays_wrong_and_becomes_harmless(installation: Installation) -> None:
    ingest(installation, make_incoming(properties={"workflow": "deploy", "step": "build", "durationMs": MAIL}))

    assert opened() == [{"workflow": "deploy", "step": "build", "durationMs": "REDACTED"}]


def test_it_opens_for_its_tenant_alone(installation: Installation) -> None:
    ingest(installation, make_incoming())

    with tenant_context(ALL):
        (row,) = SampledEvent.objects.all()
    assert open_sample(installation.tenant_id, bytes(row.sealed)) is not None
    assert open_sample(make_tenant("other").pk, bytes(row.sealed)) is None


@pytest.mark.parametrize(("name", "value"), [("STUDIO_SAMPLE_HOURS", 0), ("STUDIO_QUARANTINE_KEYS", [])])
def test_without_hours_or_secret_nothing_is_kept(
    installation: Installation, settings: Settings, name: str, value: Any
) -> None:
    setattr(settings, name, value)

    ingest(installation, make_incoming())

    assert kept() == []


def test_what_has_expired_goes_and_the_rest_stays(installation: Installation) -> None:
    ingest(installation, make_incoming())
    with tenant_context(ALL):
        SampledEvent.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    sampling._next_at.clear()
    ingest(installation, make_incoming())

    assert [forget_samples(), forget_samples()] == [1, 0]
    assert len(kept()) == 1
