"""Findings come in document order, opt-outs silence exactly what they name, and no valid spec is too odd."""

from collections import Counter
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.codec import decode_spec
from telemetry.core.enums import Severity
from telemetry.core.event_specs import EventSpec
from telemetry.core.lint import OPTIONAL_RULES, RULES, Finding, lint_spec
from telemetry.core.plain import to_plain
from telemetry.core.shapes import Path, write_path
from telemetry.core.spec import LintOptOut, Sampling, TelemetrySpec
from telemetry.core.validation import validate_spec
from tests.core import strategies
from tests.core.builders import make_event, make_meta, make_property, make_sigil_spec, make_spec

TODAY = date(2026, 11, 22)
IDENTITIES = st.sets(st.tuples(strategies.event_names(), strategies.versions()), max_size=4)


def opting_out(rule: str, *, until: str | None = None, **fields: Any) -> TelemetrySpec:
    """A spec whose only event is sampled at one percent, and opts out of a rule."""
    opt_out = LintOptOut(rule=rule, reason="Only totals are read", until=until)
    return make_spec(make_event(sampling=Sampling(rate=0.01), lint_opt_outs=(opt_out,), **fields))


def found(spec: TelemetrySpec, *rules: str) -> list[tuple[str, str]]:
    """Rule and place of the findings of these rules and of those about opt-outs."""
    wanted = (*rules, *(name for name in RULES if name not in OPTIONAL_RULES))
    return [(each.rule, each.path) for each in lint_spec(spec, today=TODAY) if each.rule in wanted]


def test_the_seeds_example_has_neither_errors_nor_warnings() -> None:
    findings = lint_spec(make_sigil_spec(), today=TODAY)

    assert {finding.severity for finding in findings} == {Severity.INFO}
    assert Counter(finding.rule for finding in findings) == {"property_description_missing": 4, "why_missing": 1}


def test_a_finding_says_what_where_how_much_and_what_to_do() -> None:
    finding = next(each for each in lint_spec(opting_out("x"), today=TODAY) if each.rule == "sampling_too_low")

    assert finding == Finding(
        rule="sampling_too_low",
        severity=Severity.WARNING,
        path="events[0].sampling.rate",
        message="keeps less than 5% of the subjects",
        hint="Raise the rate to 0.05, or add the tag high-volume.",
    )
    assert str(finding) == "warning sampling_too_low: events[0].sampling.rate: keeps less than 5% of the subjects"


def test_there_are_many_rules_of_every_severity() -> None:
    assert len(RULES) >= 25
    assert {rule.severity for rule in RULES.values()} == set(Severity)
    assert [name for name, rule in RULES.items() if rule.name != name] == []


# Opt-outs


def test_an_opt_out_silences_its_rule_in_its_event_only() -> None:
    spec = opting_out("sampling_too_low")
    other = make_event("other", sampling=Sampling(rate=0.02))

    assert found(spec, "sampling_too_low") == []
    assert found(msgspec.structs.replace(spec, events=(*spec.events, other)), "sampling_too_low") == [
        ("sampling_too_low", "events[1].sampling.rate")
    ]


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        (None, []),
        ("2026-11-23", []),
        ("2026-11-22", []),
        (
            "2026-11-21",
            [("sampling_too_low", "events[0].sampling.rate"), ("opt_out_expired", "events[0].lintOptOuts[0].until")],
        ),
    ],
)
def test_an_opt_out_holds_through_its_last_day(until: str | None, expected: list[tuple[str, str]]) -> None:
    assert found(opting_out("sampling_too_low", until=until), "sampling_too_low") == expected


@pytest.mark.parametrize("rule", ["no_such_rule", "opt_out_unused", "opt_out_expired"])
def test_an_opt_out_names_a_rule_that_events_can_opt_out_of(rule: str) -> None:
    assert found(opting_out(rule)) == [("opt_out_unknown_rule", "events[0].lintOptOuts[0].rule")]


def test_an_opt_out_that_silences_nothing_is_reported_and_so_is_a_second_one() -> None:
    twice = (LintOptOut(rule="sampling_too_low", reason="One"), LintOptOut(rule="sampling_too_low", reason="Two"))
    left_over = make_event("other", lint_opt_outs=twice[:1])
    spec = make_spec(make_event(sampling=Sampling(rate=0.01), lint_opt_outs=twice), left_over)

    assert found(spec, "sampling_too_low") == [
        ("opt_out_unused", "events[0].lintOptOuts[1]"),
        ("opt_out_unused", "events[1].lintOptOuts[0]"),
    ]


def test_what_is_the_matter_with_the_spec_cannot_be_opted_out_of_by_an_event() -> None:
    spec = opting_out("spec_description_missing")

    assert found(spec, "spec_description_missing") == [
        ("spec_description_missing", "meta"),
        ("opt_out_unused", "events[0].lintOptOuts[0]"),
    ]


# Any valid spec


@given(
    strategies.specs(),
    st.none() | strategies.specs(),
    st.none() | st.lists(strategies.event_specs(), max_size=3),
    IDENTITIES,
    st.dates(),
)
def test_no_valid_spec_is_too_odd_and_every_place_exists_in_the_document(
    spec: TelemetrySpec,
    published: TelemetrySpec | None,
    event_specs: list[EventSpec] | None,
    history: set[tuple[str, int]],
    today: date,
) -> None:
    findings = lint_spec(spec, today=today, published=published, event_specs=event_specs, history=history)

    places = places_in(to_plain(spec))
    assert [finding.path for finding in findings if finding.path not in places] == []
    order = [places.index(finding.path) for finding in findings]
    assert order == sorted(order)
    assert len(set(findings)) == len(findings)


@given(strategies.specs())
def test_an_opt_out_of_each_rule_that_is_found_silences_exactly_that_rule(spec: TelemetrySpec) -> None:
    before = lint_spec(spec, today=TODAY)
    for index, event in enumerate(spec.events):
        for rule in {finding.rule for finding in before if is_inside(finding, index)} & set(OPTIONAL_RULES):
            added = (*event.lint_opt_outs, LintOptOut(rule=rule, reason="Why not"))
            changed = msgspec.structs.replace(event, lint_opt_outs=added)
            events = (*spec.events[:index], changed, *spec.events[index + 1 :])

            after = lint_spec(msgspec.structs.replace(spec, events=events), today=TODAY)

            assert after == tuple(each for each in before if not (is_inside(each, index) and each.rule == rule))


@given(strategies.specs())
def test_equal_specs_have_equal_findings(spec: TelemetrySpec) -> None:
    again = decode_spec(msgspec.json.encode(to_plain(spec)))

    assert lint_spec(spec, today=TODAY) == lint_spec(again, today=TODAY)


def is_inside(finding: Finding, index: int) -> bool:
    return finding.path == f"events[{index}]" or finding.path.startswith(f"events[{index}].")


def places_in(value: Any, path: Path = ()) -> list[str]:
    """Every place of a document, in its order."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [write_path(path), *(place for key, item in items for place in places_in(item, (*path, key)))]


# A large spec


def test_the_largest_spec_is_linted_event_by_event() -> None:
    # Two events or two thousand: what is found in one does not depend on how many there are.
    properties = {
        **{f"label{index}": make_property(description="A label.") for index in range(8)},
        "email": make_property(description="Where the receipt goes."),
        "price": make_property("number", description="What was paid."),
    }
    events = [
        make_event(f"sigil.{'abcdefghij'[n % 10]}{n // 10}.done", properties=properties, sampling=Sampling(rate=0.5))
        for n in range(2000)
    ]
    spec = TelemetrySpec(
        meta=make_meta(domain="sigil", owners=("@team",), description="Everything"), events=tuple(events)
    )
    validate_spec(spec)

    counts = Counter(finding.rule for finding in lint_spec(spec, today=TODAY))

    assert counts == {
        "personal_name_unmarked": 2000,
        "unit_missing": 2000,
        "who_missing": 2000,
        "why_missing": 2000,
    }
