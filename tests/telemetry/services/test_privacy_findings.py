"""What detectors see in batches becomes evidence, and what people decide about it holds as long as it should."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from telemetry.core.enums import PrivacyLevel, PropertyType, RedactionStrategy
from telemetry.core.errors import Conflict, InvalidDocument, NotAllowed
from telemetry.core.events import Context
from telemetry.core.spec import PropertyDefinition, Redaction, TelemetryDefaults
from telemetry.detection.inspector import Inspector
from telemetry.mappers import defaults_from_record, event_from_record
from telemetry.models import EventRecord, FindingState, PrivacyFinding, SpecRecord, StoredEvent
from telemetry.services.finding_decisions import accept_finding, dismiss_finding, reopen_finding, snooze_finding
from telemetry.services.publishing import publish_version
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Role
from tests.core.builders import make_event, make_property, make_spec
from tests.telemetry.factories import everything_stored, ingest, make_incoming, make_installation, make_published
from tests.telemetry.services.test_violations import with_version
from tests.tenants.factories import make_actor

pytestmark = pytest.mark.django_db

STEP = "sigil.telemetry.workflow_step"
MAIL = "alice@example.com"


@pytest.fixture(autouse=True)
def fresh_inspector(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was looked at before in this minute."""
    monkeypatch.setattr("telemetry.services.privacy_findings._inspector", Inspector())


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


def send(
    installation: Installation, *properties: dict[str, Any], app_version: str | None = None, **fields: Any
) -> None:
    events = [
        with_version(make_incoming(properties={"workflow": "w", "step": "s", **each}), app_version)
        for each in properties
    ]
    ingest(installation, *events, **fields)


def the_finding(**wanted: Any) -> PrivacyFinding:
    with tenant_context(ALL):
        return PrivacyFinding.objects.get(**wanted)


def evidence() -> dict[tuple[str, str], tuple[int, int]]:
    with tenant_context(ALL):
        rows = PrivacyFinding.objects.order_by("path", "detector")
        return {(row.path, row.detector): (row.found, row.checked) for row in rows}


def test_evidence_is_counted_per_property_and_detector(installation: Installation) -> None:
    send(
        installation, {"step": MAIL}, {"step": "plain"}, {"step": f"{MAIL} from 91.34.77.120", "extra": "+49 30 901820"}
    )

    assert evidence() == {
        ("properties.extra", "phone"): (1, 1),
        ("properties.step", "email"): (2, 3),
        ("properties.step", "ip_address"): (1, 3),
    }
    row = the_finding(path="properties.extra")
    assert (row.event_name, row.event_version, row.is_declared, row.value_type) == (STEP, 1, False, "string")


def test_the_value_is_nowhere(installation: Installation) -> None:
    canary = "canary.person@example.com"
    context = Context(user_id=canary, metadata={"origin": canary})
    properties = {"workflow": canary, "step": canary, "extra": {canary: canary}, canary: 1, "userId": canary}

    ingest(installation, make_incoming(properties=properties, context=context))

    stored = everything_stored()
    del stored["telemetry.StoredEvent"], stored["telemetry.EventTally"]
    assert "canary" not in json.dumps(stored, default=str)
    assert {path for path, _ in evidence()} >= {"properties.step", "properties.extra", "properties[?]"}


def test_what_a_rule_hides_is_no_finding(installation: Installation) -> None:
    send(installation, {"userId": MAIL})

    assert evidence() == {}


def test_evidence_grows_and_knows_since_when_and_from_which_versions(installation: Installation) -> None:
    now = datetime.now(UTC)
    send(installation, {"step": MAIL}, app_version="2.4.0", received_at=now)
    send(installation, {"step": MAIL}, {"step": "x"}, app_version="2.5.0", received_at=now + timedelta(hours=1))
    send(installation, {"step": MAIL}, app_version="a@b", received_at=now + timedelta(hours=2))

    row = the_finding()
    assert (row.found, row.checked, row.app_versions) == (3, 4, ["2.5.0", "2.4.0"])
    assert (row.first_seen_at, row.last_seen_at) == (now, now + timedelta(hours=2))
    assert row.share == 0.75


def test_rejected_and_dropped_events_are_evidence_and_duplicates_are_not(installation: Installation) -> None:
    twice = make_incoming(properties={"workflow": "w", "step": MAIL})
    ingest(installation, twice, twice, make_incoming(properties={"step": MAIL}), make_incoming(name="made_up"))

    assert evidence() == {("properties.step", "email"): (2, 2)}


def test_a_rare_undeclared_property_of_a_frequent_event_is_never_passed_over(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telemetry.services.privacy_findings._inspector", Inspector(looks_per_minute=3))

    send(installation, *[{}] * 10, {"contact": MAIL}, *[{}] * 10)

    assert evidence() == {("properties.contact", "email"): (1, 1)}


def test_a_batch_without_finds_asks_nothing(installation: Installation) -> None:
    with CaptureQueriesContext(connection) as queries:
        send(installation, {})

    assert not [query for query in queries if "privacyfinding" in query["sql"]]


def test_names_without_end_make_no_rows_without_end(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telemetry.services.privacy_findings.MOST_FINDINGS", 2)

    send(installation, {f"extra{letter}": MAIL for letter in "abcdef"})
    send(installation, {"extraa": MAIL, "extraz": MAIL})

    assert evidence() == {("properties.extraa", "email"): (2, 2), ("properties.extrab", "email"): (1, 1)}


def test_what_is_recognised_is_masked_before_it_is_stored_if_the_spec_says_so() -> None:
    event = make_event(STEP, properties={"step": make_property(), "note": make_property()})
    make_published(make_spec(event, config=TelemetryDefaults(mask_detected=True)))
    installation = make_installation()

    ingest(installation, make_incoming(properties={"step": "build", "note": f"write to {MAIL}"}))

    with tenant_context(ALL):
        assert StoredEvent.objects.get().properties == {"step": "build", "note": "REDACTED"}
    assert evidence() == {("properties.note", "email"): (1, 1)}


# Decisions


def draft_event() -> Any:
    with tenant_context(ALL):
        return event_from_record(EventRecord.objects.get(name=STEP))


def accept(finding: PrivacyFinding, **fields: Any) -> None:
    with tenant_context(ALL):
        accept_finding(actor=SYSTEM, finding=finding, **fields)


def publish() -> None:
    with tenant_context(ALL):
        record = SpecRecord.objects.get()
        publish_version(
            actor=SYSTEM, name=record.name, expected_revision=record.draft_revision, change_summary="Hide it"
        )


def test_accepting_marks_a_declared_property_and_hides_it(installation: Installation) -> None:
    send(installation, {"step": MAIL})

    accept(the_finding(), raise_level=True)

    event = draft_event()
    assert event.properties["step"] == PropertyDefinition(
        type=PropertyType.STRING,
        required=True,
        pii=True,
        redact=True,
        redaction=Redaction(strategy=RedactionStrategy.MASK),
    )
    assert list(event.properties) == ["workflow", "step", "durationMs", "userId"]
    assert event.privacy is PrivacyLevel.PII
    row = the_finding()
    assert (row.state, row.accepted_spec, row.accepted_version) == ("accepted", "sigil.telemetry", 2)


def test_accepting_declares_an_undeclared_property(installation: Installation) -> None:
    send(installation, {"origin": "91.34.77.120"})

    accept(the_finding())

    event = draft_event()
    assert event.properties["origin"].redaction == Redaction(strategy=RedactionStrategy.GENERALISE)
    assert event.properties["origin"].pii is True
    assert event.privacy is PrivacyLevel.INTERNAL


def test_accepting_what_the_context_carries_declares_it_for_the_spec(installation: Installation) -> None:
    ingest(installation, make_incoming(context=Context(metadata={"contact": MAIL})))

    accept(the_finding())

    with tenant_context(ALL):
        defaults = defaults_from_record(SpecRecord.objects.get())
    assert defaults is not None
    assert defaults.context_properties["contact"].redaction == Redaction(strategy=RedactionStrategy.MASK)


def test_accepting_is_about_the_property_wherever_it_was_found(installation: Installation) -> None:
    other = make_installation("globex")
    for each in (installation, other):
        send(each, {"step": f"{MAIL} from 91.34.77.120", "extra": MAIL})

    accept(the_finding(installation=installation, path="properties.step", detector="email"))

    with tenant_context(ALL):
        states = dict(PrivacyFinding.objects.values_list("path", "state").distinct())
        assert PrivacyFinding.objects.filter(state=FindingState.ACCEPTED).count() == 4
    assert states == {"properties.step": "accepted", "properties.extra": "open"}


def test_an_accepted_finding_is_quiet_until_the_version_that_should_hide_it_does_not(
    installation: Installation,
) -> None:
    send(installation, {"extra": MAIL})
    accept(the_finding())
    send(installation, {"extra": MAIL})
    assert (the_finding().state, the_finding().found) == ("accepted", 2)

    publish()
    send(installation, {"extra": MAIL})
    assert (the_finding().state, the_finding().found) == ("accepted", 2)

    with tenant_context(ALL):
        PrivacyFinding.objects.update(path="properties.other")
    send(installation, {"other": MAIL})
    row = the_finding()
    assert (row.state, row.found) == ("open", 3)
    assert row.reopened_at == row.last_seen_at


def test_a_property_without_a_name_cannot_be_accepted(installation: Installation) -> None:
    send(installation, {MAIL: True})

    with pytest.raises(Conflict, match="find in the app"):
        accept(the_finding())


def test_an_event_that_left_the_draft_cannot_be_changed(installation: Installation) -> None:
    send(installation, {"step": MAIL})
    with tenant_context(ALL):
        EventRecord.objects.all().delete()

    with pytest.raises(Conflict, match="no draft has"):
        accept(the_finding())


def test_a_strategy_that_does_not_fit_is_refused(installation: Installation) -> None:
    send(installation, {"extra": {"to": MAIL}})

    with pytest.raises(InvalidDocument) as refused:
        accept(the_finding(), strategy=RedactionStrategy.EMAIL_DOMAIN)

    assert [error.path for error in refused.value.errors] == ["properties.extra.redaction.strategy"]
    assert the_finding().state == "open"


def test_a_dismissed_finding_is_quiet_until_clearly_more_is_found(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telemetry.services.privacy_findings.GROWN_BY", 4)
    send(installation, {"step": MAIL})
    with tenant_context(ALL):
        dismiss_finding(actor=SYSTEM, finding=the_finding(), reason="An address of our own")

    send(installation, *[{"step": MAIL}] * 8)
    assert (the_finding().state, the_finding().found) == ("dismissed", 9)
    send(installation, {"step": MAIL})

    row = the_finding()
    assert (row.state, row.found, row.reason) == ("open", 10, "An address of our own")


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1001])
def test_a_dismissal_says_why(installation: Installation, reason: str) -> None:
    send(installation, {"step": MAIL})

    with pytest.raises(InvalidDocument), tenant_context(ALL):
        dismiss_finding(actor=SYSTEM, finding=the_finding(), reason=reason)

    assert the_finding().state == "open"


def test_a_snoozed_finding_comes_back_with_the_next_value_after_its_time(installation: Installation) -> None:
    now = datetime.now(UTC)
    send(installation, {"step": MAIL}, received_at=now)
    with tenant_context(ALL):
        snooze_finding(actor=SYSTEM, finding=the_finding(), until=now + timedelta(hours=2))

    send(installation, {"step": MAIL}, received_at=now + timedelta(hours=1))
    assert the_finding().state == "snoozed"
    send(installation, {"step": MAIL}, received_at=now + timedelta(hours=3))

    assert the_finding().state == "open"


@pytest.mark.parametrize("days", [-1, 366])
def test_a_snooze_ends_within_a_year(installation: Installation, days: int) -> None:
    send(installation, {"step": MAIL})

    with pytest.raises(InvalidDocument), tenant_context(ALL):
        snooze_finding(actor=SYSTEM, finding=the_finding(), until=datetime.now(UTC) + timedelta(days=days))


def test_a_decision_can_be_taken_back(installation: Installation) -> None:
    send(installation, {"step": MAIL})
    with tenant_context(ALL):
        dismiss_finding(actor=SYSTEM, finding=the_finding(), reason="No")
        reopen_finding(actor=SYSTEM, finding=the_finding())

    assert (the_finding().state, the_finding().reason) == ("open", "")


def test_a_decision_reaches_only_tenants_in_which_one_may_decide(installation: Installation) -> None:
    other = make_installation("globex")
    for each in (installation, other):
        send(each, {"step": MAIL})
    officer = make_actor(Role.PRIVACY_OFFICER, installation.tenant)

    with tenant_context(ALL):
        assert dismiss_finding(actor=officer, finding=the_finding(installation=installation), reason="Ours") == 1

    assert the_finding(installation=other).state == "open"


def test_who_may_not_edit_specs_cannot_accept(installation: Installation) -> None:
    send(installation, {"step": MAIL})
    officer = make_actor(Role.PRIVACY_OFFICER, installation.tenant)

    with pytest.raises(NotAllowed, match=r"spec\.edit"), tenant_context(ALL):
        accept_finding(actor=officer, finding=the_finding())
