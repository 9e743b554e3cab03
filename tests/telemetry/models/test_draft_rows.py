"""The rows of a draft refuse what no document could say, whoever writes them."""

from typing import Any

import pytest
from django.db import IntegrityError, models, transaction

from telemetry.models import EventRecord, PropertyRecord, SpecRecord, ThresholdRecord
from tests.core.builders import make_sigil_spec
from tests.telemetry.factories import everything_stored, make_draft

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("model", "values", "constraint"),
    [
        (SpecRecord, {"draft_version": 0}, "telemetry_spec_version_from_one"),
        (SpecRecord, {"stability": "solid"}, "telemetry_spec_stability_known"),
        (SpecRecord, {"undeclared_properties": "guess"}, "telemetry_spec_undeclared_known"),
        (SpecRecord, {"default_sampling_rate": 1.5}, "telemetry_spec_sampling_is_ratio"),
        (SpecRecord, {"default_retention_days": 0}, "telemetry_spec_retention_positive"),
        (SpecRecord, {"anomaly_check_interval_ms": 1000}, "telemetry_spec_interval_needs_switch"),
        (EventRecord, {"version": 0}, "telemetry_event_version_from_one"),
        (EventRecord, {"privacy": "secret"}, "telemetry_event_privacy_known"),
        (EventRecord, {"retention_days": 7}, "telemetry_event_retention_whole"),
        (EventRecord, {"sampling_rate": 7.5}, "telemetry_event_sampling_is_ratio"),
        (EventRecord, {"sampling_conditions": ["true"]}, "telemetry_event_sampling_is_ratio"),
        (EventRecord, {"anomaly_enabled": None}, "telemetry_event_anomaly_needs_switch"),
        (EventRecord, {"deprecation_replaced_by": "other"}, "telemetry_event_deprecation_has_reason"),
        (EventRecord, {"deprecation_reason": ""}, "telemetry_event_deprecation_has_reason"),
        (PropertyRecord, {"type": "text"}, "telemetry_property_type_known"),
        (PropertyRecord, {"redaction_length": 3}, "telemetry_property_redaction_whole"),
        (PropertyRecord, {"redaction_strategy": "guess"}, "telemetry_property_redaction_whole"),
        (PropertyRecord, {"name": "step"}, "telemetry_property_once_per_event"),
        (ThresholdRecord, {"max": None}, "telemetry_threshold_has_bound"),
    ],
)
def test_a_row_that_no_document_could_say_is_refused(
    model: type[models.Model], values: dict[str, Any], constraint: str
) -> None:
    make_draft(make_sigil_spec())
    before = everything_stored()

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        model._default_manager.update(**values)

    assert everything_stored() == before


def test_an_event_is_in_a_draft_once() -> None:
    spec = make_draft()
    event = EventRecord.objects.get()

    with pytest.raises(IntegrityError, match="telemetry_event_once_per_spec"), transaction.atomic():
        EventRecord.objects.create(
            spec=spec, name=event.name, version=event.version, semantics_what="Twice", privacy="internal"
        )

    assert EventRecord.objects.get() == event
