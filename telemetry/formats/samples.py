"""Properties read off a sample: a JSON payload, or a table as CSV."""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from telemetry.core.codec import convert_document
from telemetry.core.enums import PropertyType
from telemetry.core.errors import FieldError, InvalidDocument
from telemetry.core.lint.personal import is_identifier_name, personal_kind
from telemetry.core.paths import key_path
from telemetry.core.spec import MAXIMUM_PROPERTIES, PropertyDefinition
from telemetry.core.timestamps import parse_timestamp
from telemetry.core.values import PropertyName

__all__ = ["LONGEST_SAMPLE", "common_type", "properties_of_sample", "suggested_flags", "type_of_value"]

# In characters: a table of 500 properties with descriptions fits, and reading it takes a fraction of a second.
LONGEST_SAMPLE: Final = 200_000
# More rows than this teach nothing new about types.
_MOST_ROWS: Final = 1_000
# A leading zero is part of a code ("007", a postcode), not of a number.
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?").fullmatch
_WORDS: Final = {"true": True, "yes": True, "x": True, "1": True, "false": False, "no": False, "0": False}


def properties_of_sample(text: str) -> dict[str, PropertyDefinition]:
    """The properties that a sample shows, by name in its order.

    JSON is one payload, or a list of payloads. CSV is a table of definitions when its first line names the columns
    ``name`` and ``type`` (and any of ``required``, ``pii``, ``redact``, ``description``, ``unit``); otherwise its first
    line names properties, and the lines below are payloads. Types are inferred: RFC 3339 text is a timestamp; objects,
    lists and values that differ in type are json; what is never set is text. Names that look personal are suggested as
    personal and hidden, unless the table says otherwise. Raises ``InvalidDocument``, which never repeats a value.
    """
    if len(text) > LONGEST_SAMPLE:
        raise _refusal("too_long", f"must have at most {LONGEST_SAMPLE} characters")
    if not text.strip():
        raise _refusal("empty", "must hold a JSON payload or lines of CSV")
    found = _read_json(text) if text.lstrip()[0] in "{[" else _read_csv(text)
    if len(found) > MAXIMUM_PROPERTIES:
        raise _refusal("too_many", f"must name at most {MAXIMUM_PROPERTIES} properties")
    return convert_document(found, dict[PropertyName, PropertyDefinition], what="sample")


def _refusal(code: str, message: str, path: str = "") -> InvalidDocument:
    return InvalidDocument([FieldError(code, path, message)], what="sample")


def _read_json(text: str) -> dict[str, dict[str, Any]]:
    try:
        sample = json.loads(text)
    except (ValueError, RecursionError) as error:
        place = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise _refusal("not_json", f"must be JSON that can be read{place}") from None
    payloads = sample if isinstance(sample, list) else [sample]
    if not payloads or not all(isinstance(payload, dict) for payload in payloads):
        raise _refusal("wrong_type", "must be a JSON object, or a list of objects")
    return _infer(payloads)


def _read_csv(text: str) -> dict[str, dict[str, Any]]:
    try:
        lines = list(csv.reader(io.StringIO(text.strip(), newline=""), delimiter=_delimiter(text)))
    except csv.Error:
        raise _refusal("not_csv", "must be lines of CSV that can be read") from None
    head = [column.strip() for column in lines[0]]
    if len(set(head)) < len(head):
        raise _refusal("duplicate_key", "must name each column once")
    rows = [dict(zip(head, map(str.strip, line), strict=False)) for line in lines[1:] if any(map(str.strip, line))]
    lowered = [column.lower() for column in head]
    if {"name", "type"} <= set(lowered):
        return _definitions([dict(zip(lowered, row.values(), strict=False)) for row in rows])
    return _infer([{name: _value_of(cell) for name, cell in row.items()} for row in rows[:_MOST_ROWS]] or [{}], head)


def _delimiter(text: str) -> str:
    """Spreadsheets paste tabs, and write semicolons where the comma is the decimal sign."""
    first = text.strip().split("\n", 1)[0]
    return max(",;\t", key=first.count)


def _value_of(cell: str) -> Any:
    """What a cell says in JSON terms."""
    if not cell:
        return None
    if cell.lower() in ("true", "false"):
        return cell.lower() == "true"
    if cell[0] in "{[":
        try:
            return json.loads(cell)
        except (ValueError, RecursionError):
            return cell
    return float(cell) if _NUMBER(cell) else cell


def _definitions(rows: Iterable[Mapping[str, str]]) -> dict[str, dict[str, Any]]:
    """A table with a line per property; columns that say nothing about a property are left to what its name says."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        name = row.get("name", "")
        if name in found:
            raise _refusal("duplicate_key", "is in the table twice", key_path("", name))
        type_ = row.get("type", "").lower() or PropertyType.STRING.value
        said = {key: row[key] for key in ("description", "unit") if row.get(key)}
        flags = {key: _flag(name, key, row[key]) for key in ("required", "pii", "redact") if row.get(key)}
        found[name] = {"type": type_, **suggested_flags(name, type_), **said, **flags}
    return found


def _flag(name: str, column: str, cell: str) -> bool:
    if cell.lower() not in _WORDS:
        raise _refusal("wrong_type", "must be yes or no", key_path("", name) + f".{column}")
    return _WORDS[cell.lower()]


def _infer(payloads: Iterable[Mapping[str, Any]], names: Iterable[str] = ()) -> dict[str, dict[str, Any]]:
    """One definition per name that occurs, in the order in which they occur."""
    types: dict[str, set[PropertyType]] = {name: set() for name in names}
    for payload in payloads:
        for name, value in payload.items():
            seen = types.setdefault(name, set())
            if value is not None:
                seen.add(type_of_value(value))
    return {
        name: {"type": (type_ := common_type(seen)).value, **suggested_flags(name, type_)}
        for name, seen in types.items()
    }


def type_of_value(value: object) -> PropertyType:
    """The type of a property that has this value; RFC 3339 text is a timestamp."""
    if isinstance(value, bool):
        return PropertyType.BOOLEAN
    if isinstance(value, int | float):
        return PropertyType.NUMBER
    if isinstance(value, str):
        return PropertyType.STRING if parse_timestamp(value) is None else PropertyType.TIMESTAMP
    return PropertyType.JSON


def common_type(types: set[PropertyType]) -> PropertyType:
    """The type that takes every value; text takes a timestamp, too."""
    if not types:
        return PropertyType.STRING
    if types <= {PropertyType.STRING, PropertyType.TIMESTAMP} and PropertyType.STRING in types:
        return PropertyType.STRING
    return next(iter(types)) if len(types) == 1 else PropertyType.JSON


def suggested_flags(name: str, type_: str) -> dict[str, bool]:
    """What a name suggests about its values: personal data are marked with both flags."""
    try:
        known = PropertyType(type_)
    except ValueError:
        return {}
    is_personal = personal_kind(name, known) is not None or is_identifier_name(name, known)
    return {"pii": True, "redact": True} if is_personal else {}
