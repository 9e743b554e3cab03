"""Contracts of events: stored, replaced, taken out, compared, and what lint then says about drafts."""

import json
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from telemetry.core.enums import PrivacyLevel, Severity
from telemetry.core.errors import Conflict, InvalidDocument, NotAllowed, NotFound
from telemetry.core.event_specs import DepartureKind
from telemetry.core.spec import TelemetrySpec
from telemetry.formats.event_specs import GivenMeta
from telemetry.models import EventRecord, EventSpecRecord, SpecRecord
from telemetry.services.event_specs import (
    Imported,
    ImportOutcome,
    compare_with_events,
    import_event_spec,
    remove_event_spec,
)
from telemetry.services.linting import lint_draft
from telemetry.services.publishing import publish_version
from tenants.actors import SYSTEM, Actor, actor_of_user
from tenants.models import AuditEntry
from tenants.permissions import abilities_of
from tenants.roles import Role
from tests.core.builders import make_event, make_meta, make_property
from tests.telemetry.factories import everything_stored, make_draft
from tests.tenants.factories import make_actor, make_user

pytestmark = pytest.mark.usefixtures("workspace")

STEP = make_event(
    "step", privacy=PrivacyLevel.INTERNAL, properties={"step": make_property(), "email": make_property(pii=True)}
)


def document(name: str = "step", version: int = 1, *, domain: str = "sigil", pii: tuple[str, ...] = ("email",)) -> str:
    properties = {"step": {"type": "string"}, "email": {"type": "string"}}
    payload = {"type": "object", "properties": properties}
    meta = {"name": name, "version": version, "domain": domain}
    return json.dumps({"meta": meta, "payload": payload, "pii": pii})


def take(text: str = "", actor: Actor = SYSTEM, **given: Any) -> Imported:
    return import_event_spec(actor=actor, document=text or document(), given=GivenMeta(**given))


def draft_of(*events: Any, name: str = "sigil.telemetry", domain: str = "sigil") -> SpecRecord:
    return make_draft(TelemetrySpec(meta=make_meta(name, domain=domain), events=events or (STEP,)))


def findings(record: SpecRecord) -> list[tuple[str, str]]:
    found = lint_draft(record)
    return [(each.rule, each.path) for each in found if each.rule.startswith("event_spec_")]


# Import


def test_a_contract_is_added_once_and_replaced_by_what_says_something_else() -> None:
    added = take()
    again = take()
    replaced = take(document(pii=()))

    assert [each.outcome for each in (added, again, replaced)] == [
        ImportOutcome.ADDED,
        ImportOutcome.UNCHANGED,
        ImportOutcome.REPLACED,
    ]
    assert added.record.pk == again.record.pk == replaced.record.pk
    assert json.loads(EventSpecRecord.objects.get().document)["payload"]["properties"]["email"] == {"type": "string"}
    actions = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert actions == ["event_spec.added", "event_spec.replaced"]


def test_a_schema_of_the_payload_is_a_contract_too() -> None:
    record = take('{"properties": {"step": {"x-pii": true}}}', name="step", version=2, domain="sigil").record

    assert (record.name, record.version, record.domain) == ("step", 2, "sigil")
    assert json.loads(record.document)["pii"] == ["step"]


def test_a_bad_document_stores_nothing() -> None:
    before = everything_stored()

    with pytest.raises(InvalidDocument):
        take('{"meta": {"name": "step", "version": 1}, "payload": {"type": "string"}}')

    assert everything_stored() == before


@pytest.mark.parametrize("role", [role for role in Role if "spec.edit" not in abilities_of([role])])
def test_contracts_are_for_those_who_edit_specs(role: Role) -> None:
    record = take().record
    actor = make_actor(role)
    before = everything_stored()

    for deed in (
        lambda: take(document("other"), actor),
        lambda: remove_event_spec(actor=actor, event_spec_id=record.pk, expected_checksum=record.checksum),
    ):
        with pytest.raises(NotAllowed):
            deed()

    assert everything_stored() == before


def test_a_contract_that_was_imported_anew_is_not_removed_by_who_saw_the_old_one() -> None:
    seen = take().record
    take(document(pii=()))

    with pytest.raises(Conflict):
        remove_event_spec(actor=SYSTEM, event_spec_id=seen.pk, expected_checksum=seen.checksum)

    assert EventSpecRecord.objects.count() == 1


# What lint says


def test_without_a_contract_in_the_domain_nothing_is_asked_for() -> None:
    record = draft_of()
    take(document("other", domain="elsewhere"))

    assert findings(record) == []


def test_where_contracts_are_written_each_event_has_one() -> None:
    record = draft_of(STEP, make_event("second", version=2), make_event("third"))
    take()
    take(document("second"))

    assert findings(record) == [
        ("event_spec_version_missing", "events[1].version"),
        ("event_spec_missing", "events[2].name"),
    ]


def test_a_contract_of_another_domain_counts_for_an_event_of_its_name() -> None:
    record = draft_of()
    take(document("other"))
    take(document("step", domain="elsewhere", pii=()))

    assert findings(record) == [("event_spec_pii_unknown", "events[0].properties.email")]


def test_personal_data_that_a_draft_does_not_know_of_keeps_it_from_being_published() -> None:
    record = draft_of(make_event("step", properties={"step": make_property()}))
    take(document(pii=("step",)))

    with pytest.raises(InvalidDocument) as caught:
        publish_version(actor=SYSTEM, name=record.name, expected_revision=1, change_summary="First")

    assert [(error.code, error.path) for error in caught.value.errors] == [
        ("event_spec_pii_unmarked", "events[0].properties.step")
    ]


def test_every_event_knows_again_how_many_findings_it_has() -> None:
    record = draft_of(STEP, make_event("second", properties={"step": make_property()}))
    other = draft_of(make_event("third", properties={"step": make_property()}), name="other", domain="elsewhere")

    def counts() -> list[int]:
        for draft in (record, other):
            assert {event.name: event.finding_count for event in draft.events.all()} == warnings_and_errors(draft)
        return [event.finding_count or 0 for event in EventRecord.objects.order_by("spec__name", "position")]

    before = counts()
    # The first contract of the domain makes every event without one a finding.
    step = take().record
    with_one = counts()
    # The next one concerns events of its name alone.
    take(document("second"))
    with_two = counts()
    take(document("third"))
    unconcerned = counts()
    remove_event_spec(actor=SYSTEM, event_spec_id=step.pk, expected_checksum=step.checksum)
    without_step = counts()

    assert [after - earlier for earlier, after in zip(before, with_one, strict=True)] == [0, 0, 1]
    assert [after - earlier for earlier, after in zip(before, with_two, strict=True)] == [0, 0, 0]
    assert unconcerned == with_two
    assert [after - earlier for earlier, after in zip(before, without_step, strict=True)] == [0, 1, 0]


def warnings_and_errors(record: SpecRecord) -> dict[str, int]:
    """What each event has by name, as lint counts today."""
    found = [each for each in lint_draft(record) if each.severity is not Severity.INFO]
    names = [event.name for event in record.events.order_by("position")]
    return {name: sum(each.event_index == place for each in found) for place, name in enumerate(names)}


# Comparing


def test_a_contract_is_compared_with_every_event_that_measures_it() -> None:
    draft_of()
    draft_of(make_event("step", properties={"extra": make_property()}), name="other")
    draft_of(make_event("step", version=2), name="third")
    record = take().record

    found, contract, measured = compare_with_events(actor=SYSTEM, event_spec_id=record.pk)

    assert (found.pk, contract.identity) == (record.pk, ("step", 1))
    assert [(each.event.spec.name, [one.kind for one in each.departures]) for each in measured] == [
        ("other", [DepartureKind.UNKNOWN_PROPERTY]),
        ("sigil.telemetry", []),
    ]


def test_comparing_costs_four_queries(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for name in ("a", "b", "c"):
        draft_of(name=name)
    record = take().record

    with django_assert_num_queries(4):
        compare_with_events(actor=SYSTEM, event_spec_id=record.pk)


def test_what_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound):
        compare_with_events(actor=SYSTEM, event_spec_id=1)
    with pytest.raises(NotFound):
        remove_event_spec(actor=SYSTEM, event_spec_id=1, expected_checksum="")
    with pytest.raises(NotAllowed):
        compare_with_events(actor=actor_of_user(make_user()), event_spec_id=1)
