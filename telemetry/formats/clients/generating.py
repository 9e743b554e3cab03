"""Code in each language, from one model and a template per language."""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import jinja2

from telemetry.core.codec import checksum
from telemetry.core.enums import PropertyType
from telemetry.core.spec import TelemetrySpec
from telemetry.formats.clients import literals
from telemetry.formats.clients.identifiers import RESERVED, Identifiers, camel, pascal, snake, upper
from telemetry.formats.clients.marks import mark, sign
from telemetry.formats.clients.model import FieldModel, PlanModel, build_model
from telemetry.formats.json_schema.documents import write_json_schema

__all__ = ["LANGUAGES", "Language", "generate"]


class Language(NamedTuple):
    """A language: what it is called, and the name of a file with the code of a spec."""

    name: str
    title: str
    file_name: Callable[[str], str]


_ALL: Final = (
    Language("python", "Python", lambda name: f"{snake(name)}.py"),
    Language("typescript", "TypeScript", lambda name: f"{snake(name).replace('_', '-')}.ts"),
    Language("kotlin", "Kotlin", lambda name: f"{pascal(name)}.kt"),
    Language("swift", "Swift", lambda name: f"{pascal(name)}.swift"),
    Language("json-schema", "JSON Schema", lambda name: f"{name}.schema.json"),
    Language("markdown", "Markdown", lambda name: f"{name}.md"),
)
LANGUAGES: Final[Mapping[str, Language]] = MappingProxyType({language.name: language for language in _ALL})
_CASES: Final = {"python": snake, "typescript": camel, "kotlin": camel, "swift": camel, "markdown": snake}
# Names of types that a template itself declares or imports.
_TYPE_NAMES: Final = {
    "python": frozenset(("Any", "Generic", "Literal", "Mapping", "Protocol", "Tracker", "TypeVar", "Outcome", "Final")),
    "typescript": frozenset(("Tracker", "Date", "Record", "Json", "Object", "String", "Number", "Boolean", "Array")),
    "kotlin": frozenset(("Tracker", "Instant", "String", "Double", "Boolean", "Any", "Map", "List", "Unit")),
    "swift": frozenset(("Tracker", "Date", "String", "Double", "Bool", "Any", "Dictionary", "Array", "Type", "Self")),
}
_PLAIN_TYPES: Final[Mapping[str, Mapping[PropertyType, str]]] = {
    "python": {
        PropertyType.STRING: "str",
        PropertyType.NUMBER: "float",
        PropertyType.BOOLEAN: "bool",
        PropertyType.TIMESTAMP: "datetime",
        PropertyType.JSON: "Any",
    },
    "typescript": {
        PropertyType.STRING: "string",
        PropertyType.NUMBER: "number",
        PropertyType.BOOLEAN: "boolean",
        PropertyType.TIMESTAMP: "Date",
        PropertyType.JSON: "unknown",
    },
    "kotlin": {
        PropertyType.STRING: "String",
        PropertyType.NUMBER: "Double",
        PropertyType.BOOLEAN: "Boolean",
        PropertyType.TIMESTAMP: "Instant",
        PropertyType.JSON: "Any",
    },
    "swift": {
        PropertyType.STRING: "String",
        PropertyType.NUMBER: "Double",
        PropertyType.BOOLEAN: "Bool",
        PropertyType.TIMESTAMP: "Date",
        PropertyType.JSON: "Any",
    },
}


def generate(spec: TelemetrySpec, language: str) -> str:
    """The code, always the same for the same spec; its mark has the checksum of the spec and of the code itself."""
    signature = mark(language, spec.meta.name, spec.meta.version, checksum(spec))
    if language == "json-schema":
        [file] = write_json_schema(spec).files
        document = {"$comment": signature.text, **json.loads(file.data)}
        return sign(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    model = build_model(
        spec,
        case=_CASES[language],
        reserved=RESERVED.get(language, frozenset()),
        types=_TYPE_NAMES.get(language, frozenset()),
    )
    template = _environment(language).get_template(f"{language}.jinja")
    return sign(template.render(plan=model, mark=signature.text))


def _environment(language: str) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("telemetry.formats.clients"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # The output is code, for which each filter below knows how to escape.
        autoescape=False,  # noqa: S701
    )
    plain = _PLAIN_TYPES.get(language, {})
    environment.filters |= {
        "json": literals.json_literal,
        "ts": literals.typescript_string,
        "kotlin": literals.kotlin_string,
        "swift": literals.swift_string,
        "docstring": literals.docstring,
        "comment": literals.block_comment,
        "markdown": literals.markdown_text,
        "package": lambda name: snake(name).replace("_", ""),
        "typed": lambda field: _type_of(field, language, plain),
        "members": lambda field: _members_of(field, language),
        "has": _has,
        "has_literals": _has_literals,
    }
    return environment


def _type_of(field: FieldModel, language: str, plain: Mapping[PropertyType, str]) -> str:
    """The type of a property's values, without saying that it may be left out."""
    if not field.allowed:
        return plain[field.type]
    if language == "typescript":
        return " | ".join(literals.typescript_string(v) if isinstance(v, str) else repr(v) for v in field.allowed)
    if language == "python":
        # Only texts and whole numbers can be literal types.
        exact = all(isinstance(value, str | int) for value in field.allowed)
        return f"Literal[{', '.join(map(literals.json_literal, field.allowed))}]" if exact else plain[field.type]
    return field.type_name if field.type is PropertyType.STRING else plain[field.type]


def _members_of(field: FieldModel, language: str) -> list[tuple[str, Any]]:
    """Names and values of the members of an enumeration, for languages that make one of listed texts."""
    case, reserved = (upper, frozenset[str]()) if language == "kotlin" else (camel, RESERVED[language])
    identifiers = Identifiers(reserved)
    return [(identifiers.claim(case(str(value))), value) for value in field.allowed]


def _has(plan: PlanModel, type_: str) -> bool:
    return PropertyType(type_) in plan.types


def _has_literals(plan: PlanModel) -> bool:
    """Whether one of the properties lists values that Python can write as a type."""
    fields = (field for event in plan.events for field in event.fields)
    return any(field.allowed and all(isinstance(value, str | int) for value in field.allowed) for field in fields)
