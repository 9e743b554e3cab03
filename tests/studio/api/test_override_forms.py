"""Every form of a tenant's override, alone and combined, from the API that takes it to the app that obeys it.

Hole 8 of the origin: an override with sampling only, and no spec pointer, resolved to nothing.
"""

from datetime import UTC, datetime
from functools import reduce
from typing import Any

import pytest
from msgspec.structs import replace

from telemetry.core.config import PrivacyFloor
from telemetry.core.enums import RetentionPolicy
from telemetry.core.spec import Retention
from telemetry.models import StoredEvent
from telemetry.sdk.identifiers import new_event_id
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Role, Scope
from tenants.services.floors import save_floor
from tests.core.builders import make_event, make_sigil_spec, make_spec
from tests.studio.api.calls import Caller, caller_with_role
from tests.telemetry.factories import make_installation, make_published
from tests.tenants.factories import make_key

pytestmark = pytest.mark.django_db

NAME = "sigil.telemetry"
STEP = "sigil.telemetry.workflow_step"
THRESHOLD = {"metric": "durationMs", "max": 10.0}

# What the override says, and what the app then reads: the way to the leaf, and its value.
Form = tuple[dict[str, Any], tuple[str | int, ...], Any]
FORMS: dict[str, Form] = {
    "telemetry off": ({"enabled": False}, ("enabled",), False),
    "spec": ({"spec": {"name": NAME}}, ("spec", "name"), NAME),
    "pinned spec": ({"spec": {"name": NAME, "version": 1}}, ("spec", "version"), 1),
    "default sampling": ({"defaultSamplingRate": 0.5}, ("events", 0, "sampling", "rate"), 0.5),
    "undeclared": ({"undeclaredProperties": "quarantine"}, ("undeclaredProperties",), "quarantine"),
    "disabled event": ({"events": {STEP: {"enabled": False}}}, ("events", 0, "enabled"), False),
    "level": ({"events": {STEP: {"privacy": "sensitive"}}}, ("events", 0, "privacy"), "sensitive"),
    "sampling": ({"events": {STEP: {"samplingRate": 0.25}}}, ("events", 0, "sampling", "rate"), 0.25),
    "days": ({"events": {STEP: {"retentionDays": 7}}}, ("events", 0, "retention", "days"), 7),
    # To delete is the default, which a document does not say; the spec says to archive.
    "policy": ({"events": {STEP: {"retentionPolicy": "delete"}}}, ("events", 0, "retention"), {"days": 30}),
    "redaction": (
        {"events": {STEP: {"redaction": {"step": {"strategy": "drop"}}}}},
        ("events", 0, "properties", "step", "redaction", "strategy"),
        "drop",
    ),
    "anomalies off": (
        {"events": {STEP: {"anomalyDetection": {"enabled": False}}}},
        ("events", 0, "anomalyDetection", "enabled"),
        False,
    ),
    "sample": (
        {"events": {STEP: {"anomalyDetection": {"minimumSample": 3}}}},
        ("events", 0, "anomalyDetection", "minimumSample"),
        3,
    ),
    "thresholds": (
        {"events": {STEP: {"anomalyDetection": {"thresholds": [THRESHOLD]}}}},
        ("events", 0, "anomalyDetection", "thresholds"),
        [THRESHOLD],
    ),
    "one version": ({"events": {f"{STEP}@1": {"samplingRate": 0.1}}}, ("events", 0, "sampling", "rate"), 0.1),
}
# Two that speak of the same leaf cannot both be told apart in one config.
COMBINED = [
    name for name in FORMS if name not in {"spec", "default sampling", "one version", "anomalies off", "policy"}
]


@pytest.fixture
def installation() -> Installation:
    spec = make_sigil_spec()
    (step,) = spec.events
    archived = replace(step, retention=Retention(days=30, policy=RetentionPolicy.ARCHIVE))
    make_published(replace(spec, events=(archived,)))
    return make_installation("acme")


def publish(installation: Installation, override: dict[str, Any]) -> Any:
    """The answer to publishing this override over HTTP."""
    publisher = caller_with_role(Role.PUBLISHER, installation.tenant)
    address = f"/api/v1/installations/{installation.public_id}/config"
    draft = publisher.put(address, override, If_Match=publisher.get(address)["ETag"])
    if draft.status_code != 200:
        return draft
    body = {
        "number": draft.json()["number"],
        "expectedChecksum": draft.json()["checksum"],
        "expectedPublishedNumber": None,
        "changeSummary": "As asked",
    }
    return publisher.post(f"{address}/publish", body)


def fetched(installation: Installation) -> Any:
    """The config that an app of the installation gets."""
    return Caller(key=make_key(installation, Scope.CONFIG_READ).text).get("/api/v1/config").json()


def leaf(config: Any, way: tuple[str | int, ...]) -> Any:
    return reduce(lambda value, step: value[step], way, config)


def merged(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    """Both documents in one."""
    both = dict(left)
    for key, value in right.items():
        both[key] = merged(both[key], value) if isinstance(both.get(key), dict) else value
    return both


def sent(installation: Installation, name: str = STEP) -> Any:
    """The answer to one event of the seed's example."""
    event = {
        "id": new_event_id(),
        "name": name,
        "occurredAt": datetime.now(UTC).isoformat(),
        "properties": {"workflow": "deploy", "step": "build", "durationMs": 120},
    }
    return (
        Caller(key=make_key(installation, Scope.INGEST).text).post("/api/v1/events/batch", {"events": [event]}).json()
    )


@pytest.mark.parametrize("form", FORMS)
def test_each_form_works_alone(installation: Installation, form: str) -> None:
    override, way, value = FORMS[form]

    assert publish(installation, override).status_code == 200

    assert leaf(fetched(installation), way) == value


def test_all_forms_work_combined(installation: Installation) -> None:
    override: dict[str, Any] = reduce(merged, (FORMS[name][0] for name in COMBINED), {})

    assert publish(installation, override).status_code == 200

    config = fetched(installation)
    assert {name: leaf(config, FORMS[name][1]) for name in COMBINED} == {name: FORMS[name][2] for name in COMBINED}


def test_what_is_sent_is_treated_as_the_override_says(installation: Installation) -> None:
    publish(installation, merged(FORMS["redaction"][0], FORMS["days"][0]))

    assert sent(installation)["stored"] == 1

    with tenant_context(ALL):
        stored = StoredEvent.objects.get()
    assert "step" not in stored.properties
    assert (stored.expires_at - stored.received_at).days == 7


@pytest.mark.parametrize("form", ["telemetry off", "disabled event"])
def test_what_is_turned_off_is_not_stored(installation: Installation, form: str) -> None:
    publish(installation, FORMS[form][0])

    answer = sent(installation)

    assert (answer["stored"], answer["disabled"]) == (0, 1)


def test_all_telemetry_can_be_turned_off_but_for_what_the_floor_forces_on() -> None:
    make_published(make_spec(make_event("login"), make_event("step"), name=NAME))
    installation = make_installation("acme")
    with tenant_context(ALL):
        save_floor(actor=SYSTEM, app=None, floor=PrivacyFloor(forced_on=("login",)), expected_revision=0)

    refused = publish(installation, {"events": {"login": {"enabled": False}}})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "below_floor")
    assert publish(installation, {"enabled": False}).status_code == 200

    assert {event["name"]: event["enabled"] for event in fetched(installation)["events"]} == {
        "login": True,
        "step": False,
    }
    assert (sent(installation, "login")["disabled"], sent(installation, "step")["disabled"]) == (0, 1)
