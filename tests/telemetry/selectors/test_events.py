"""Events of drafts are found by what people type."""

import pytest
from pytest_django import DjangoAssertNumQueries

from telemetry.core.enums import PrivacyLevel
from telemetry.core.errors import UnknownEvent
from telemetry.core.spec import Semantics
from telemetry.models import SpecRecord
from telemetry.selectors.events import event_of, events_of, search_events
from tests.core.builders import make_event, make_spec
from tests.telemetry.factories import make_draft

pytestmark = pytest.mark.usefixtures("workspace")


@pytest.fixture
def drafts(workspace: None) -> None:
    """Two specs with three events."""
    bought = make_event("Order Completed", semantics=Semantics(what="A customer paid"), tags=("money",))
    refunded = make_event("order_refunded", 2, privacy=PrivacyLevel.PII, tags=("money", "support"))
    make_draft(make_spec(bought, refunded, name="shop"))
    make_draft(make_spec(make_event("half_reached", semantics=Semantics(what="50% are done")), name="course"))


@pytest.mark.usefixtures("drafts")
@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["half_reached", "Order Completed", "order_refunded"]),
        ("ORDER", ["Order Completed", "order_refunded"]),
        ("paid", ["Order Completed"]),
        ("money", ["Order Completed", "order_refunded"]),
        ("mone", []),
        ("%", ["half_reached"]),
        ("_", ["half_reached", "order_refunded"]),
        ("' OR 1=1 --", []),
        ("paid\0", []),
    ],
)
def test_text_is_looked_for_in_names_meanings_and_tags(text: str, names: list[str]) -> None:
    assert sorted(event.name for event in search_events(text)) == sorted(names)


@pytest.mark.usefixtures("drafts")
def test_events_are_narrowed_by_spec_and_level() -> None:
    assert [event.name for event in search_events(spec_name="course")] == ["half_reached"]
    assert [event.name for event in search_events("order", privacy=PrivacyLevel.PII)] == ["order_refunded"]
    assert list(search_events("order", spec_name="course")) == []


@pytest.mark.usefixtures("drafts")
def test_a_search_is_one_query_with_spec_and_property_count(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(1):
        rows = {(event.spec.name, event.name, event.version, event.property_count) for event in search_events()}

    assert rows == {
        ("shop", "Order Completed", 1, 3),
        ("shop", "order_refunded", 2, 3),
        ("course", "half_reached", 1, 3),
    }


@pytest.mark.parametrize("events", [1, 25])
def test_the_events_of_a_draft_cost_three_queries(
    events: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    spec = make_draft(make_spec(*(make_event(f"event_{number}") for number in range(events))))

    with django_assert_num_queries(3):
        rows = [(row.name, len(row.properties.all()), len(row.thresholds.all())) for row in events_of(spec)]

    assert rows == [(f"event_{number}", 3, 0) for number in range(events)]


@pytest.mark.usefixtures("drafts")
def test_an_event_is_found_by_its_exact_name_and_version() -> None:
    spec = SpecRecord.objects.get(name="shop")

    assert event_of(spec, "order_refunded", 2).privacy == "pii"
    for name, version in (("order_refunded", 1), ("ORDER_REFUNDED", 2), ("half_reached", 1), ("a\0", 1)):
        with pytest.raises(UnknownEvent):
            event_of(spec, name, version)
