"""Reading JSON Schemas of events, and their properties as ours."""

import json
from typing import Any

import pytest

from telemetry.core.errors import InvalidDocument
from telemetry.core.spec import PropertyDefinition
from telemetry.formats.json_schema import SchemaIdentity, properties_of_schema, read_schema
from tests.core.builders import make_property
from tests.formats.schemas import IGLU, make_schema, with_value

SELF = {"vendor": "com.acme", "name": "order_placed", "format": "jsonschema", "version": "2-0-11"}


def broken(document: object) -> list[tuple[str, str]]:
    with pytest.raises(InvalidDocument, match="JSON schema") as error:
        read_schema(document if isinstance(document, str | bytes) else json.dumps(document))
    return [(each.code, each.path) for each in error.value.errors]


# Reading


def test_a_self_describing_schema_says_what_it_is() -> None:
    schema = read_schema(json.dumps({"self": SELF, "type": "object"}))

    assert schema.identity == SchemaIdentity("com.acme", "order_placed", (2, 0, 11))


def test_a_schema_need_not_describe_itself() -> None:
    assert read_schema(b"{}").identity is None


def test_a_schema_is_kept_as_it_is_and_cannot_be_changed() -> None:
    schema = make_schema(properties={"a": {"type": ["string", "null"], "x-own": [1]}}, _comment="ours")

    assert schema.root == {
        "type": "object",
        "properties": {"a": {"type": ("string", "null"), "x-own": (1,)}},
        "$comment": "ours",
    }
    with pytest.raises(TypeError, match="frozen"):
        schema.root["properties"]["a"]["type"] = "number"


@pytest.mark.parametrize(
    ("document", "errors"),
    [
        ("", [("empty", "")]),
        ("{", [("bad_syntax", "")]),
        (b"\xff\xfe{}", [("bad_encoding", "")]),
        ([], [("wrong_type", "")]),
        (True, [("wrong_type", "")]),
        ('{"type": "object", "type": "object"}', [("duplicate_key", "type")]),
        ({"type": "string"}, [("wrong_type", "type")]),
        ({"type": "objekt"}, [("wrong_type", "type")]),
        ({"type": []}, [("wrong_type", "type")]),
        ({"type": ["object", 1]}, [("wrong_type", "type")]),
        ({"properties": []}, [("wrong_type", "properties")]),
        ({"properties": {"a": 1}}, [("wrong_type", "properties.a")]),
        ({"properties": {"a b": {"type": "text"}}}, [("wrong_type", 'properties["a b"].type')]),
        ({"properties": {"a": {"required": True}}}, [("wrong_type", "properties.a.required")]),
        ({"required": ["a", 1]}, [("wrong_type", "required")]),
        ({"properties": {"a": {"enum": "b"}}}, [("wrong_type", "properties.a.enum")]),
        ({"properties": {"a": {"maxLength": "5"}}}, [("wrong_type", "properties.a.maxLength")]),
        ({"properties": {"a": {"maximum": True}}}, [("wrong_type", "properties.a.maximum")]),
        ('{"properties": {"a": {"maximum": NaN}}}', [("wrong_type", "properties.a.maximum")]),
        ({"properties": {"a": {"exclusiveMaximum": "5"}}}, [("wrong_type", "properties.a.exclusiveMaximum")]),
        ({"properties": {"a": {"multipleOf": 0}}}, [("wrong_type", "properties.a.multipleOf")]),
        ({"properties": {"a": {"uniqueItems": 1}}}, [("wrong_type", "properties.a.uniqueItems")]),
        ({"properties": {"a": {"items": [{}, 1]}}}, [("wrong_type", "properties.a.items[1]")]),
        ({"properties": {"a": {"items": 1}}}, [("wrong_type", "properties.a.items")]),
        ({"additionalProperties": "no"}, [("wrong_type", "additionalProperties")]),
        ({"oneOf": {}}, [("wrong_type", "oneOf")]),
        ({"oneOf": [{"type": "x"}]}, [("wrong_type", "oneOf[0].type")]),
        ({"description": 1}, [("wrong_type", "description")]),
        ({"self": "com.acme"}, [("wrong_type", "self")]),
        ({"self": {**SELF, "version": "1.0.0"}}, [("wrong_type", "self")]),
        ({"self": {**SELF, "version": "0-0-1"}}, [("wrong_type", "self")]),
        ({"self": {**SELF, "vendor": ""}}, [("wrong_type", "self")]),
        (
            {"required": 1, "properties": {"a": {"type": "x", "format": 2}}},
            [("wrong_type", "required"), ("wrong_type", "properties.a.type"), ("wrong_type", "properties.a.format")],
        ),
    ],
)
def test_what_is_no_schema_is_refused_with_every_place(document: object, errors: list[tuple[str, str]]) -> None:
    assert broken(document) == errors


@pytest.mark.parametrize("keyword", ["items", "not", "additionalProperties", "x-own"])
@pytest.mark.parametrize("levels", [70, 900, 50_000])
def test_a_very_deep_schema_is_refused(keyword: str, levels: int) -> None:
    text = f'{{"{keyword}":' * levels + "{}" + "}" * levels

    assert broken(text) == [("too_deep", "")]


def test_errors_never_repeat_values() -> None:
    with pytest.raises(InvalidDocument) as error:
        read_schema(json.dumps({"properties": {"a": {"format": ["alice@example.com"], "maximum": "secret"}}}))

    assert "alice" not in str(error.value)
    assert "secret" not in str(error.value)


# Properties


@pytest.mark.parametrize(
    ("keywords", "definition"),
    [
        ({"type": "string"}, make_property()),
        ({"type": ["string", "null"]}, make_property()),
        ({"type": "string", "format": "date-time"}, make_property("timestamp")),
        ({"type": ["null", "string"], "format": "date-time"}, make_property("timestamp")),
        ({"type": "string", "format": "date"}, make_property()),
        ({"type": "integer"}, make_property("number")),
        ({"type": "number"}, make_property("number")),
        ({"type": ["integer", "number", "null"]}, make_property("number")),
        ({"type": "boolean"}, make_property("boolean")),
        ({"type": "object", "properties": {"a": {"type": "string"}}}, make_property("json")),
        ({"type": "array"}, make_property("json")),
        ({"type": ["string", "integer"]}, make_property("json")),
        ({"type": "null"}, make_property("json")),
        ({}, make_property("json")),
        ({"oneOf": [{"type": "string"}]}, make_property("json")),
        ({"enum": ["a", "b"]}, make_property(allowed_values=("a", "b"))),
        ({"enum": [1, 2.5]}, make_property("number", allowed_values=(1.0, 2.5))),
        ({"enum": ["a", 1]}, make_property("json")),
        ({"type": ["string", "null"], "enum": ["a", None]}, make_property(allowed_values=("a",))),
        ({"type": "string", "enum": ["a" * 201]}, make_property()),
        ({"type": "string", "enum": [str(number) for number in range(501)]}, make_property()),
        ({"type": "boolean", "enum": [True]}, make_property("boolean")),
        ({"type": "string", "description": "What it says"}, make_property(description="What it says")),
        ({"type": "string", "description": " "}, make_property()),
        ({"type": "string", "description": "x" * 5000}, make_property(description="x" * 4000)),
    ],
)
def test_a_property_is_read_as_the_type_that_takes_its_values(
    keywords: dict[str, Any], definition: PropertyDefinition
) -> None:
    assert properties_of_schema(with_value(**keywords)) == {"value": definition}


def test_a_property_is_required_when_every_event_has_a_value_for_it() -> None:
    schema = make_schema(
        properties={
            "plain": {"type": "string"},
            "nullable": {"type": ["string", "null"]},
            "free": {"type": ["object", "null"]},
            "other": {"type": "string"},
        },
        required=["plain", "nullable", "free", "undeclared"],
    )

    required = {name: definition.required for name, definition in properties_of_schema(schema).items()}

    # Null is a value of json only; elsewhere it counts as absent.
    assert required == {"plain": True, "nullable": False, "free": True, "other": False}


def test_properties_keep_their_order() -> None:
    schema = make_schema(properties={name: {} for name in ("b", "a", "smtp-id", "_id")})

    assert list(properties_of_schema(schema)) == ["b", "a", "smtp-id", "_id"]


def test_true_admits_everything() -> None:
    assert properties_of_schema(make_schema(properties={"a": True})) == {"a": make_property("json")}


def test_a_name_that_no_property_can_have_is_refused() -> None:
    with pytest.raises(InvalidDocument) as error:
        properties_of_schema(make_schema(properties={"größe": {}, "2nd": {}, "fine": {}}))

    assert [(each.code, each.path) for each in error.value.errors] == [
        ("bad_format", '["größe"]'),
        ("bad_format", '["2nd"]'),
    ]


@pytest.mark.skipif(not IGLU.is_dir(), reason="there are no schemas beside the checkout")
def test_real_schemas_can_be_read() -> None:
    schemas = {path: read_schema(path.read_bytes()) for path in sorted(IGLU.glob("*/*/jsonschema/*"))}

    assert schemas
    for path, schema in schemas.items():
        assert schema.identity is not None
        assert path.parts[-4:-2] == (schema.identity.vendor, schema.identity.name)
        properties = properties_of_schema(schema)
        assert list(properties) == list(schema.root["properties"])
