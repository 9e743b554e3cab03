"""What holds for every comparison of two specs: it is complete, exact, and the same both ways."""

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from telemetry.core.codec import encode_spec
from telemetry.core.diff import diff_specs
from telemetry.core.enums import PropertyType
from telemetry.core.events import Envelope, Rejected
from telemetry.core.paths import key_path
from telemetry.core.pipeline import compile_config, process_event
from telemetry.core.resolution import resolve_config
from telemetry.core.spec import EventDefinition, PropertyDefinition, TelemetrySpec
from tests.core.builders import make_installation, make_spec
from tests.core.strategies import defaults, envelopes_for, event_definitions, properties, property_definitions, specs


@st.composite
def edited_specs(draw: st.DrawFn) -> tuple[TelemetrySpec, TelemetrySpec]:
    """A spec, and one that was made of it: events gone, changed, new and moved; meta and defaults of either."""
    before, other = draw(specs(max_events=2)), draw(specs(max_events=2))
    events: list[EventDefinition] = []
    for event in before.events:
        match draw(st.sampled_from(("keep", "drop", "change"))):
            case "keep":
                events.append(event)
            case "change":
                donor = draw(st.sampled_from((*other.events, event)))
                parts = draw(st.sets(st.sampled_from(["properties", "sampling", "retention", "privacy", "tags"])))
                events.append(msgspec.structs.replace(event, **{part: getattr(donor, part) for part in parts}))
    known = {(event.name, event.version) for event in before.events}
    events += [event for event in other.events if (event.name, event.version) not in known]
    meta, config = draw(st.sampled_from((before, other))).meta, draw(st.sampled_from((before, other))).config
    return before, TelemetrySpec(meta=meta, config=config, events=tuple(draw(st.permutations(events))))


def leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Every leaf of a plain document, lists of parts by what identifies them; other lists are leaves."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            deeper = key_path(path, key)
            is_setting = re.search(r'^config\.providers(\.\w+|\["\w+#\d+"\])\.config$', path)
            yield from [(deeper, item)] if is_setting else leaves(deeper, item)
    elif isinstance(value, list) and (name := identify(path)):
        counts: dict[str, int] = {}
        for item in value:
            key = name(item)
            counts[key] = counts.get(key, 0) + 1
            yield from leaves(key_path(path, key if counts[key] == 1 else f"{key}#{counts[key]}"), item)
    else:
        yield path, value


def identify(path: str) -> Any:
    if path == "events":
        return lambda event: f"{event['name']}@{event['version']}"
    if path == "config.providers":
        return lambda provider: provider["type"]
    return (lambda threshold: threshold["metric"]) if path.endswith(".anomalyDetection.thresholds") else None


def document_leaves(spec: TelemetrySpec) -> dict[str, Any]:
    return dict(leaves("", json.loads(encode_spec(spec))))


def is_in(path: str, place: str) -> bool:
    return path == place or path.startswith((f"{place}.", f"{place}["))


def is_different(path: str, here: dict[str, Any], there: dict[str, Any]) -> bool:
    """Whether one document has another leaf than the other; an empty block is no leaf beside a filled one."""
    if path in here and path in there:
        # As text: to Python, 1 and true are equal.
        return json.dumps(here[path]) != json.dumps(there[path])
    return path in there or not any(is_in(other, path) for other in there)


@given(specs())
def test_a_spec_does_not_differ_from_itself(spec: TelemetrySpec) -> None:
    again = msgspec.json.decode(encode_spec(spec), type=TelemetrySpec)

    assert diff_specs(spec, spec).is_empty
    assert diff_specs(spec, again).is_empty


@given(edited_specs())
def test_a_diff_is_empty_exactly_when_the_canonical_forms_are_equal(pair: tuple[TelemetrySpec, TelemetrySpec]) -> None:
    before, after = pair

    assert diff_specs(before, after).is_empty is (encode_spec(before) == encode_spec(after))


@given(edited_specs())
def test_every_leaf_that_differs_is_covered_with_its_values(pair: tuple[TelemetrySpec, TelemetrySpec]) -> None:
    old, new = document_leaves(pair[0]), document_leaves(pair[1])
    differing = {
        path for path in old.keys() | new.keys() if is_different(path, old, new) and is_different(path, new, old)
    }

    changes = [change for change in diff_specs(*pair).changes if change.rule != "order_changed"]

    for path in differing:
        assert sum(is_in(path, change.path) for change in changes) == 1, path
    for change in changes:
        assert any(is_in(path, change.path) for path in differing), change
        for known, value in ((old, change.before), (new, change.after)):
            if change.path in known:
                assert msgspec.json.encode(value) == msgspec.json.encode(known[change.path])


@given(edited_specs())
def test_the_way_back_is_the_same_changes_with_their_values_exchanged(
    pair: tuple[TelemetrySpec, TelemetrySpec],
) -> None:
    before, after = pair

    there = [(change.path, repr(change.before), repr(change.after)) for change in diff_specs(before, after).changes]
    back = [(change.path, repr(change.after), repr(change.before)) for change in diff_specs(after, before).changes]

    assert sorted(there) == sorted(back)


@given(edited_specs())
def test_a_change_belongs_to_the_event_that_its_path_names(pair: tuple[TelemetrySpec, TelemetrySpec]) -> None:
    for change in diff_specs(*pair).changes:
        named = change.path.startswith("events[")
        assert (change.event is not None) is named
        assert change.event is None or change.path.startswith(key_path("events", change.event))


# What a class promises


@st.composite
def edited_properties(draw: st.DrawFn, event: EventDefinition) -> EventDefinition:
    """The event with some properties gone, some new, and some changed in a field or two."""
    edited = draw(properties(max_size=2))
    for name, definition in event.properties.items():
        other = draw(property_definitions())
        fields = draw(st.sets(st.sampled_from(["required", "pii", "redact", "description", "type"]), max_size=2))
        changed = msgspec.structs.replace(definition, **{field: getattr(other, field) for field in fields})
        if changed.type is not definition.type:
            changed = PropertyDefinition(type=changed.type, required=changed.required)
        elif changed.type is PropertyType.STRING and draw(st.booleans()):
            kept = draw(st.sampled_from((definition.allowed_values, definition.allowed_values[:1], ("a", "b"), ())))
            changed = msgspec.structs.replace(changed, allowed_values=kept)
        if draw(st.sampled_from((True, True, True, False))):
            edited[name] = changed
    return msgspec.structs.replace(event, properties=edited)


def refuses(spec: TelemetrySpec, envelope: Envelope) -> bool:
    config = compile_config(resolve_config(spec, installation=make_installation()))
    return isinstance(process_event(envelope, config, key=None), Rejected)


@given(st.data())
def test_events_planned_for_the_old_version_are_refused_only_after_a_breaking_change(data: st.DataObject) -> None:
    # Conditions may be about a property that is gone afterwards, which no valid spec has.
    event = msgspec.structs.replace(data.draw(event_definitions()), sampling=None)
    before = make_spec(event, config=data.draw(st.none() | defaults()))
    config = data.draw(st.sampled_from((before.config, before.config, data.draw(st.none() | defaults()))))
    after = make_spec(data.draw(edited_properties(event)), config=config)
    envelope = msgspec.structs.replace(data.draw(envelopes_for(event)), version=event.version)
    assume(not refuses(before, envelope))

    assert diff_specs(before, after).breaking or not refuses(after, envelope)
