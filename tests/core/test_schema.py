"""Editors learn from the schema what a spec may say."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from jsonschema import Draft202012Validator

from telemetry.core.descriptions import FIELD_DESCRIPTIONS
from telemetry.core.enums import PrivacyLevel
from telemetry.core.plain import to_plain
from telemetry.core.schema import build_spec_schema, render_spec_schema
from telemetry.core.spec import TelemetrySpec
from tests.core import strategies
from tests.core.builders import make_sigil_spec

ROOT = Path(__file__).parents[2]
VALIDATOR = Draft202012Validator(build_spec_schema())


def errors_in(document: object) -> list[str]:
    return [error.json_path for error in VALIDATOR.iter_errors(document)]


def test_the_published_file_is_what_the_types_say() -> None:
    published = (ROOT / "docs" / "schemas" / "telemetry-spec.schema.json").read_text(encoding="utf-8")

    assert published == render_spec_schema(), (
        "run: python -m telemetry.core.schema > docs/schemas/telemetry-spec.schema.json"
    )


def test_the_module_prints_the_schema() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "telemetry.core.schema"], capture_output=True, check=True, cwd=ROOT, encoding="utf-8"
    )

    assert (printed.stdout, printed.stderr) == (render_spec_schema(), "")


def test_the_schema_is_one_of_draft_2020_12_and_names_no_address_of_its_own() -> None:
    schema = build_spec_schema()

    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "$id" not in schema


def test_the_seeds_example_is_valid() -> None:
    document = yaml.safe_load((ROOT / "examples" / "sigil.telemetry.yaml").read_text(encoding="utf-8"))

    assert errors_in(document) == []
    assert errors_in(to_plain(make_sigil_spec())) == []


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (("meta", "version"), 0, "$.meta.version"),
        (("meta", "name"), "Sigil Telemetry", "$.meta.name"),
        (("meta", "name"), "sigil\n", "$.meta.name"),
        (("meta", "owner"), "@team", "$.meta"),
        (("config", "defaultSamplingRate"), 7.5, "$.config"),
        (("events", 0, "privacy"), "secret", "$.events[0].privacy"),
        (("events", 0, "properties", "step", "type"), "text", "$.events[0].properties.step.type"),
        (("events", 0, "properties", "1st"), {"type": "string"}, "$.events[0].properties"),
    ],
)
def test_broken_documents_are_marked_at_their_place(path: tuple[str | int, ...], value: object, place: str) -> None:
    document: Any = to_plain(make_sigil_spec())
    target = document
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value

    assert errors_in(document) == [place]


@given(strategies.specs())
def test_every_valid_spec_is_valid_for_editors_too(spec: TelemetrySpec) -> None:
    assert errors_in(json.loads(json.dumps(to_plain(spec)))) == []


def test_every_field_is_described_and_nothing_else() -> None:
    described = {type_.__name__: set(fields) for type_, fields in FIELD_DESCRIPTIONS.items()}
    declared = {
        name: {field.name for field in msgspec.structs.fields(type_)}
        for name, type_ in {type_.__name__: type_ for type_ in FIELD_DESCRIPTIONS}.items()
    }

    assert described == declared


def test_every_object_of_the_schema_says_what_its_keys_mean_and_admits_no_others() -> None:
    definitions = build_spec_schema()["$defs"]

    for name, definition in definitions.items():
        assert definition["description"], name
        assert "``" not in definition["description"]
        if definition["type"] == "object":
            assert definition["additionalProperties"] is False
            assert all(property_["description"] for property_ in definition["properties"].values()), name


def test_words_keep_their_order_because_levels_rise() -> None:
    assert build_spec_schema()["$defs"]["PrivacyLevel"]["enum"] == [level.value for level in PrivacyLevel]
