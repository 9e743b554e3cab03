"""Rows and values say the same, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from pytest_django import DjangoAssertNumQueries

from telemetry.core.codec import encode_spec
from telemetry.core.spec import TelemetryDefaults, TelemetrySpec
from telemetry.mappers import save_spec_to_records, spec_from_records
from telemetry.models import EventRecord, PropertyRecord, SpecRecord, ThresholdRecord
from tests.core.builders import make_event, make_meta, make_sigil_spec, make_spec
from tests.core.strategies import specs


def stored(spec: TelemetrySpec) -> SpecRecord:
    record = SpecRecord(name=spec.meta.name)
    save_spec_to_records(spec, record)
    return SpecRecord.objects.get(pk=record.pk)


class RoundTripTests(TestCase):
    """Hypothesis needs a database transaction of its own for each example, which this class opens."""

    @given(specs())
    def test_a_spec_that_went_through_rows_is_the_same_spec(self, spec: TelemetrySpec) -> None:
        record = stored(spec)

        read = spec_from_records(record)

        assert read == spec
        assert encode_spec(read) == encode_spec(spec)

    @given(st.data())
    def test_a_draft_takes_over_another_spec_completely(self, data: st.DataObject) -> None:
        first, second = data.draw(specs()), data.draw(specs())
        record = stored(first)

        save_spec_to_records(second, record)

        assert encode_spec(spec_from_records(SpecRecord.objects.get())) == encode_spec(second)
        assert EventRecord.objects.count() == len(second.events)


@pytest.mark.django_db
def test_an_empty_config_section_is_not_the_same_as_none() -> None:
    with_section = TelemetrySpec(meta=make_meta("with"), config=TelemetryDefaults())
    without_section = TelemetrySpec(meta=make_meta("without"))

    read = [spec_from_records(stored(spec)) for spec in (with_section, without_section)]

    assert [spec.config for spec in read] == [TelemetryDefaults(), None]


@pytest.mark.django_db
def test_events_that_stay_keep_their_rows() -> None:
    first, second, third = make_event("first"), make_event("second"), make_event("third")
    record = stored(make_spec(first, second))
    ids = dict(EventRecord.objects.values_list("name", "id"))

    save_spec_to_records(make_spec(third, second), record)

    kept = dict(EventRecord.objects.values_list("name", "id"))
    assert kept.keys() == {"second", "third"}
    assert kept["second"] == ids["second"]
    assert [event.name for event in spec_from_records(record).events] == ["third", "second"]


@pytest.mark.django_db
@pytest.mark.parametrize("events", [1, 30])
def test_the_number_of_queries_does_not_grow_with_the_spec(
    events: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    seed = make_sigil_spec().events[0]
    spec = make_spec(*(make_event(f"event_{n}", anomaly_detection=seed.anomaly_detection) for n in range(events)))
    record = stored(spec)

    with django_assert_num_queries(1):
        spec_from_records(record)
    with django_assert_num_queries(7):
        save_spec_to_records(spec, record)

    assert PropertyRecord.objects.count() == 3 * events
    assert ThresholdRecord.objects.count() == events
