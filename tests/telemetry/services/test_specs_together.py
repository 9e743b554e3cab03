"""Several people change one draft at the same time."""

from functools import partial

import pytest

from telemetry.core.codec import encode_spec
from telemetry.core.errors import DuplicateSpec, TelemetryError
from telemetry.core.spec import EventDefinition, TelemetrySpec
from telemetry.mappers import spec_from_records
from telemetry.models import SpecRecord
from telemetry.services.specs import create_spec, replace_draft, save_event
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tests.core.builders import make_event, make_spec
from tests.telemetry.factories import make_draft
from tests.tenants.together import run_together

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "sigil.telemetry"


def create(spec: TelemetrySpec) -> SpecRecord:
    with tenant_context(ALL):
        return create_spec(actor=SYSTEM, spec=spec)


def replace(spec: TelemetrySpec) -> SpecRecord:
    with tenant_context(ALL):
        return replace_draft(actor=SYSTEM, name=NAME, document=encode_spec(spec), expected_revision=1)


def save(event: EventDefinition) -> object:
    with tenant_context(ALL):
        return save_event(actor=SYSTEM, spec_name=NAME, event=event)


def test_of_several_specs_with_one_name_one_is_created_whole() -> None:
    specs = [make_spec(*(make_event(f"{who}_{n}") for n in range(5))) for who in ("ada", "grace", "joan", "mary")]

    results = run_together(*(partial(create, spec) for spec in specs))

    refused = [isinstance(result, DuplicateSpec) for result in results]
    assert refused.count(False) == 1
    assert spec_from_records(SpecRecord.objects.get()) == specs[refused.index(False)]


def test_of_several_documents_for_one_revision_one_is_stored_whole() -> None:
    make_draft()
    specs = [make_spec(*(make_event(f"{who}_{n}") for n in range(5))) for who in ("ada", "grace", "joan", "mary")]

    results = run_together(*(partial(replace, spec) for spec in specs))

    refused = [isinstance(result, TelemetryError) for result in results]
    assert refused.count(False) == 1
    assert {result.code for result in results if isinstance(result, TelemetryError)} == {"stale_revision"}
    record = SpecRecord.objects.get()
    assert record.draft_revision == 2
    assert spec_from_records(record) == specs[refused.index(False)]


def test_events_saved_at_once_are_all_there_each_with_its_own_place() -> None:
    make_draft(make_spec())
    events = [make_event(f"event_{n}") for n in range(4)]

    results = run_together(*(partial(save, event) for event in events))

    assert not [result for result in results if isinstance(result, TelemetryError)]
    record = SpecRecord.objects.get()
    stored = spec_from_records(record).events
    assert stored[0] == make_event()
    assert sorted(stored[1:], key=lambda event: event.name) == events
    assert sorted(record.events.values_list("position", flat=True)) == [0, 1, 2, 3, 4]
    assert record.draft_revision == 5
