"""Files as other teams write them: what formats allow and our own exports never use."""

import codecs
import json
from typing import Any

import pytest

from telemetry.core.spec import TelemetrySpec
from telemetry.formats.building import ImportOptions
from telemetry.formats.catalogue import import_files
from telemetry.formats.losses import Action, LossReport
from telemetry.formats.sources import SourceFile


def read(name: str, content: str | bytes) -> tuple[TelemetrySpec, LossReport]:
    data = content.encode() if isinstance(content, str) else content
    _, imported = import_files([SourceFile(name, data)], ImportOptions())
    [spec] = imported.specs
    return spec, imported.report


def reasons(report: LossReport, path: str) -> set[str]:
    return {loss.reason for loss in report.losses if loss.path == path}


# TypeScript

HEAD = """
import { shared, makeShared } from './shared';
const DAYS = 30 as const;
const base = { workflow: { type: 'string', required: true } } as const satisfies Record<string, unknown>;
function withUser<T extends object>(given: T) { return { ...given, userId: { type: 'string', pii: true } }; }
const event = (key: string, version = '1.0.0', { privacy } = { privacy: 'internal' }) => ({
  key, version, semantics: { what: `${key} happened` }, properties: {}, privacy,
});
const twice = (n: number) => { const m = n; return m * 2; };
"""


def telemetry(events: str, meta: str = "") -> str:
    head = "meta: { key: 'a.b', version: '1.0.0', title: 'T', domain: 'd', owners: [], tags: [], "
    return f"{HEAD}export const Spec: TelemetrySpec = {{ {head}{meta} }}, events: [{events}] }};"


def typescript(events: str, meta: str = "") -> tuple[TelemetrySpec, LossReport]:
    return read("a.telemetry.ts", telemetry(events, meta))


def event(rest: str) -> str:
    return f"{{ key: 'x', version: '1.0.0', semantics: {{ what: 'w' }}, privacy: 'internal', {rest} }}"


def test_what_a_function_of_the_file_adds_is_not_lost() -> None:
    spec, report = typescript(event("properties: withUser({ ...base })"))

    assert {name: each.pii for name, each in spec.events[0].properties.items()} == {"workflow": None, "userId": True}
    assert not reasons(report, "/events/0/properties")


def test_functions_take_parameters_defaults_and_parts_of_objects() -> None:
    spec, _ = typescript("event('a.one'), event('a.two', '2.0.0', { privacy: 'pii' }), { ...event('a.three') }")

    assert [(each.name, each.version, each.privacy.value, each.semantics.what) for each in spec.events] == [
        ("a.one", 1, "internal", "a.one happened"),
        ("a.two", 2, "pii", "a.two happened"),
        ("a.three", 1, "internal", "a.three happened"),
    ]


def test_of_a_function_of_another_file_the_guess_is_told() -> None:
    spec, report = typescript(event("properties: shared({ a: { type: 'string' } })"))

    assert set(spec.events[0].properties) == {"a"}
    assert reasons(report, "/events/0/properties") == {
        "only running the function could tell what it answers; what it is given is taken"
    }


@pytest.mark.parametrize("call", ["twice(3)", "makeShared(3)", "event", "loop(1)"])
def test_what_only_running_could_tell_is_reported_with_its_line(call: str) -> None:
    source = telemetry(event(f"properties: {{}}, retention: {{ days: {call} }}"))
    source = source.replace("const twice", "const loop = (n: number) => loop(n);\nconst twice")
    _, report = read("a.ts", source)

    found = [loss for loss in report.losses if loss.path == "/events/0/retention/days"]
    assert Action.DROPPED in {loss.action for loss in found}
    assert {loss.line for loss in found} == {source.count("\n") + 1}


def test_properties_that_are_spread_from_elsewhere_are_left_out_and_reported() -> None:
    spec, report = typescript(event("properties: { ...shared.properties, a: { type: 'string' } }"))

    assert set(spec.events[0].properties) == {"a"}
    assert Action.DROPPED in {loss.action for loss in report.losses if "shared.properties" in loss.path}


@pytest.mark.parametrize(
    ("expression", "days"),
    [("DAYS * 2", 60), ("60 / 2", 30), ("7 + 1 - 2", 6), ("true ? 5 : 6", 5), ("!true ? 5 : 6", 6)],
)
def test_numbers_are_reckoned(expression: str, days: int) -> None:
    spec, report = typescript(event(f"properties: {{}}, retention: {{ days: {expression} }}"))

    retention = spec.events[0].retention
    assert retention is not None
    assert retention.days == days
    assert not reasons(report, "/events/0/retention/days")


@pytest.mark.parametrize("expression", ["1 / 0", "DAYS ** 2", "DAYS % 7", "'3' * 2"])
def test_what_cannot_be_reckoned_is_reported(expression: str) -> None:
    spec, report = typescript(event(f"properties: {{}}, retention: {{ days: {expression} }}"))

    assert spec.events[0].retention is None
    assert reasons(report, "/events/0/retention/days")


def test_a_constant_knows_nothing_of_the_parameters_of_whoever_uses_it() -> None:
    spec, _ = read(
        "a.ts",
        "const what = 'outer';\nconst meaning = { what };\nconst make = (what: string) => meaning;\n"
        + telemetry(
            "{ key: 'x', version: '1.0.0', semantics: make('inner'), properties: {}, privacy: 'internal' }"
        ).removeprefix(HEAD),
    )

    assert spec.events[0].semantics.what == "outer"


GROWING = {
    "lists": "const twice = (x) => [...x, ...x];\nconst big = " + "twice(" * 50 + "['a']" + ")" * 50,
    "objects": "const pair = (x) => ({ a: x, b: x });\nconst big = " + "pair(" * 50 + "'a'" + ")" * 50,
    "texts": "const twice = (x) => `${x}${x}`;\nconst big = " + "twice(" * 50 + "'abc'" + ")" * 50,
    "sums": "const twice = (x) => x + x;\nconst big = " + "twice(" * 50 + "'abc'" + ")" * 50,
    "joins": "const twice = (x) => [x, x].join(x);\nconst big = " + "twice(" * 50 + "'abc'" + ")" * 50,
    "numbers": "const twice = (x) => x * x;\nconst big = " + "twice(" * 50 + "9" + ")" * 50,
    "infinity": "const big = 1e999 - 1e999",
}


@pytest.mark.parametrize("kind", GROWING)
def test_what_would_grow_without_end_is_left_out(kind: str) -> None:
    source = GROWING[kind] + ";\n" + telemetry("", "description: big,")

    _, report = read("a.ts", source)

    assert Action.DROPPED in {loss.action for loss in report.losses if loss.path.startswith("/meta/description")}


def test_texts_are_joined_and_trimmed() -> None:
    spec, report = typescript("", "description: ['One', `two`].join('\\n').trim(),")

    assert spec.meta.description == "One\ntwo"
    assert not reasons(report, "/meta/description")


# JSON Schema

COMBINED: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Order Completed",
    "allOf": [{"$ref": "#/$defs/base"}, {"properties": {"total": {"type": "number"}}, "required": ["total"]}],
    "$defs": {
        "base": {"type": "object", "properties": {"id": {"type": "string"}, "to": {"$ref": "#place"}}},
        "place": {"$anchor": "place", "type": "string", "enum": ["home", "office"]},
    },
}


@pytest.mark.parametrize("keyword", ["allOf", "$ref"])
def test_a_schema_that_is_put_together_is_one_event(keyword: str) -> None:
    document = COMBINED if keyword == "allOf" else {**COMBINED, "allOf": [], "$ref": "#/$defs/base"}

    spec, _ = read("order.json", json.dumps(document))

    [order] = spec.events
    assert order.name == "Order Completed"
    assert set(order.properties) == ({"id", "to", "total"} if keyword == "allOf" else {"id", "to"})


def test_an_anchor_leads_to_its_definition_and_an_unknown_one_nowhere() -> None:
    known, _ = read("order.json", json.dumps(COMBINED))
    unknown, report = read("order.json", json.dumps(COMBINED).replace("#place", "#nowhere"))

    assert known.events[0].properties["to"].allowed_values == ("home", "office")
    assert unknown.events[0].properties["to"].type == "json"
    assert reasons(report, "/$defs/base/properties/to/$ref") == {"it refers to a schema that is not in this file"}


def test_alternatives_stay_events_of_their_own() -> None:
    document = {
        "oneOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}],
        "$defs": {"a": {"type": "object"}, "b": {"type": "object"}},
    }

    assert [each.name for each in read("all.json", json.dumps(document))[0].events] == ["a", "b"]


# Tables

TABLE = "event,property,type\nÄußerung,größe,string\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_table_is_read_in_the_encodings_and_signs_of_spreadsheets(encoding: str, delimiter: str) -> None:
    spec, report = read("plan.csv", TABLE.replace(",", delimiter).encode(encoding))

    assert spec == read("plan.csv", TABLE)[0]
    assert spec.events[0].name.startswith("A")
    assert any("not UTF-8" in loss.reason for loss in report.losses) == (encoding == "cp1252")


def test_big_endian_text_is_read_like_little_endian() -> None:
    little = read("plan.csv", codecs.BOM_UTF16_LE + TABLE.encode("utf-16-le"))
    big = read("plan.csv", codecs.BOM_UTF16_BE + TABLE.encode("utf-16-be"))

    assert little == big


# Segment


RULE = {"type": "TRACK", "key": "Added", "version": 1}
SCHEMA = {"properties": {"properties": {"properties": {"sku": {"type": "string"}}}}}


@pytest.mark.parametrize("key", ["jsonSchema", "json_schema"])
@pytest.mark.parametrize("is_alone", [True, False])
def test_rules_are_a_plan_with_or_without_anything_around_them(key: str, is_alone: bool) -> None:
    rules = [{**RULE, key: SCHEMA}]

    spec, report = read("shop.json", json.dumps(rules if is_alone else {"rules": rules}))

    assert report.format == "segment"
    assert [(each.name, list(each.properties)) for each in spec.events] == [("Added", ["sku"])]


@pytest.mark.parametrize("never", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z", None])
def test_the_zero_of_a_clock_deprecates_nothing(never: str | None) -> None:
    alive, _ = read("p.json", json.dumps({"rules": [{**RULE, "jsonSchema": SCHEMA, "deprecatedAt": never}]}))
    dead, _ = read(
        "p.json", json.dumps({"rules": [{**RULE, "jsonSchema": SCHEMA, "deprecatedAt": "2025-01-01T00:00:00Z"}]})
    )

    assert alive.events[0].deprecation is None
    assert dead.events[0].deprecation is not None


# OpenTelemetry


def test_conventions_of_before_say_required_in_their_own_words() -> None:
    source = """
groups:
  - id: http
    prefix: http
    type: span
    brief: A request
    attributes:
      - {id: method, type: string, required: always, brief: m}
      - {id: flavor, type: string, required: {conditional: if known}, brief: f}
"""

    spec, _ = read("http.yaml", source)

    properties = spec.events[0].properties
    assert (properties["http.method"].required, properties["http.flavor"].required) == (True, False)
    assert "if known" in properties["http.flavor"].description
