"""Where rules about owners, versions and contracts begin and end to apply; that they do is shown by their pages."""

from telemetry.core.event_specs import EventSpec
from telemetry.core.spec import (
    Deprecation,
    EventDefinition,
    TelemetrySpec,
)
from tests.core.builders import make_event, make_meta, make_property
from tests.core.lint.cases import contract, places

# Ownership and lifecycle


def test_a_review_is_due_through_its_day() -> None:
    events = [make_event(day, review_by=f"2026-11-{day[1:]}") for day in ("d21", "d22", "d23")]

    assert places("review_overdue", *events) == ["events[0].reviewBy"]


def test_owners_of_the_spec_own_its_events() -> None:
    assert places("event_unowned", make_event("a"), make_event("b", owners=("@team",))) == ["events[0]"]
    assert places("event_unowned", make_event("a"), owners=("@team",)) == []


def test_what_replaces_an_event_is_found_by_name_or_version_here_in_contracts_or_in_history() -> None:
    def replaced_by(*references: str) -> list[EventDefinition]:
        return [
            make_event(f"old_{index}", deprecation=Deprecation(reason="Gone", replaced_by=reference))
            for index, reference in enumerate(references)
        ]

    events = [
        *replaced_by("new", "new@2", "new@3", "contract@1", "published", "published@4", "nowhere"),
        make_event("new", version=2),
    ]

    found = places("replacement_unknown", *events, event_specs=[contract("contract")], history={("published", 4)})

    assert found == [f"events[{index}].deprecation.replacedBy" for index in (2, 6)]


def test_a_replacement_is_deprecated_when_no_version_of_it_is_left() -> None:
    gone = Deprecation(reason="Gone")
    events = [
        make_event("itself", deprecation=Deprecation(reason="Gone", replaced_by="itself")),
        make_event("to_gone", deprecation=Deprecation(reason="Gone", replaced_by="gone")),
        make_event("to_old", deprecation=Deprecation(reason="Gone", replaced_by="new@1")),
        make_event("to_new", deprecation=Deprecation(reason="Gone", replaced_by="new")),
        make_event("gone", deprecation=gone),
        make_event("new", deprecation=gone),
        make_event("new", version=2),
    ]

    assert places("replacement_deprecated", *events) == [f"events[{i}].deprecation.replacedBy" for i in (0, 1, 2)]


def test_a_version_follows_one_that_is_here_published_or_was() -> None:
    events = make_event("a", version=5), make_event("b"), make_event("b", version=3), make_event("c", version=4)
    published = TelemetrySpec(meta=make_meta(), events=(make_event("b", version=2), make_event("c", version=2)))

    assert places("version_gap", *events) == ["events[2].version"]
    assert places("version_gap", *events, published=published) == ["events[3].version"]
    assert places("version_gap", *events, published=published, history={("c", 3)}) == []


def test_what_vanishes_was_deprecated_before() -> None:
    gone = make_event("gone", deprecation=Deprecation(reason="Gone"))
    published = TelemetrySpec(meta=make_meta(), events=(make_event("kept"), make_event("lost"), gone))

    assert places("removed_without_deprecation", make_event("kept"), published=published) == [""]
    assert places("removed_without_deprecation", make_event("kept"), make_event("lost"), published=published) == []


def test_a_version_returns_when_it_was_published_and_is_not_any_more() -> None:
    published = TelemetrySpec(meta=make_meta(), events=(make_event("kept"),))
    events = make_event("kept"), make_event("back"), make_event("fresh")
    history = {("kept", 1), ("back", 1)}

    assert places("version_returned", *events, published=published, history=history) == ["events[1].version"]
    assert places("version_returned", *events, history=history) == []


# Contracts


def test_contracts_are_compared_only_where_they_are_known() -> None:
    events = make_event("a"), make_event("a", version=2), make_event("b")

    known: list[list[EventSpec] | None] = [None, [], [contract("a")]]
    assert [places("event_spec_missing", *events, event_specs=each) for each in known] == [
        [],
        ["events[0].name", "events[1].name", "events[2].name"],
        ["events[2].name"],
    ]
    assert places("event_spec_version_missing", *events, event_specs=[contract("a")]) == ["events[1].version"]


DEPARTURES = (
    "event_spec_property_unknown",
    "event_spec_property_missing",
    "event_spec_type_differs",
    "event_spec_pii_unmarked",
    "event_spec_pii_unknown",
)


def test_each_way_to_depart_from_a_contract_is_a_finding_at_its_place() -> None:
    event = make_event(
        properties={
            "extra": make_property(),
            "durationMs": make_property(),
            "address": make_property("json"),
            "flagged": make_property(pii=True),
        }
    )
    known = contract(
        required=["durationMs", "session"],
        properties={
            "durationMs": {"type": "number"},
            "address": {"type": "object"},
            "flagged": {"type": "string"},
            "session": {"type": "string"},
            "optional": {"type": "string"},
        },
        pii=("address.street",),
    )

    found = {rule: places(rule, event, event_specs=[known]) for rule in DEPARTURES}

    assert found == {
        "event_spec_property_unknown": ["events[0].properties.extra"],
        "event_spec_property_missing": ["events[0]"],
        "event_spec_type_differs": ["events[0].properties.durationMs.type"],
        "event_spec_pii_unmarked": ["events[0].properties.address"],
        "event_spec_pii_unknown": ["events[0].properties.flagged"],
    }


def test_only_the_contract_of_the_same_version_is_compared_and_only_for_events_that_are_sent() -> None:
    other = make_event(version=2, properties={"extra": make_property()})
    gone = make_event(properties={"extra": make_property()}, deprecation=Deprecation(reason="Gone"))
    known = contract(properties={"durationMs": {"type": "number"}})

    for event in (other, gone):
        assert [places(rule, event, event_specs=[known]) for rule in DEPARTURES] == [[]] * 5
