"""Reading self-describing schemas.

Source: Snowplow, self-describing JSON Schemas (``self`` with vendor, name, format and version) and SchemaVer (version
``model-revision-addition``): events of one model can be read alike, so a model is what a version of an event is here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from telemetry.formats.building import ImportOptions, SpecDraft
from telemetry.formats.cursor import Cursor, Ledger
from telemetry.formats.json_schema.events import read_payload
from telemetry.formats.json_schema.importing import KEYWORD_REASONS
from telemetry.formats.json_schema.views import SchemaView
from telemetry.formats.losses import LossReport
from telemetry.formats.sources import Imported, SourceFile, invalid, read_plain

__all__ = ["NAME", "is_iglu", "read_iglu"]

NAME: Final = "iglu"
_VERSION: Final = re.compile(r"([0-9]{1,10})-([0-9]{1,10})-([0-9]{1,10})").fullmatch
_LARGEST_VERSION: Final = 2_147_483_647
_REASONS: Final[Mapping[str, str]] = {
    **KEYWORD_REASONS,
    **dict.fromkeys(("$supersedes", "$supersededBy"), "a version of an event replaces none"),
}


class _Schema(NamedTuple):
    """A schema with the parts of its ``self``."""

    root: Cursor
    vendor: str
    name: str
    version: tuple[int, int, int]


def is_iglu(_file: SourceFile, plain: object) -> bool:
    """Whether the data is a self-describing schema, or a list of them."""
    return bool(list(_find_schemas(Ledger().open(plain))))


def read_iglu(files: Sequence[SourceFile], options: ImportOptions) -> Imported:
    """One spec with an event ``VENDOR/NAME`` for each model of each schema, as its newest revision describes it.

    Raises ``InvalidDocument`` if a file holds no self-describing schema.
    """
    ledger = Ledger(reasons=_REASONS)
    schemas: list[_Schema] = []
    roots: list[Cursor] = []
    for file in files:
        root = ledger.open(read_plain(file), file=file.name if len(files) > 1 else "")
        roots.append(root)
        found = list(_find_schemas(root))
        if not found:
            message = "must be a self-describing schema: self with vendor, name and a version such as 1-0-0"
            raise invalid("missing_key", message, path="self", what=f"file {file.name}")
        schemas += found
    draft = SpecDraft(ledger, roots[0], options)
    for schema in _newest(schemas):
        _read_event(schema, draft)
    spec = draft.build(name=_name_of(schemas))
    names = tuple(file.name for file in files)
    return Imported((spec,), LossReport(format=NAME, sources=names, specs=(spec.meta.name,), losses=ledger.losses()))


def _find_schemas(root: Cursor) -> Iterator[_Schema]:
    if root.kind == "list":
        for each in root.items():
            yield from _find_schemas(each)
        return
    vendor, name, version = (root.find("self", key) for key in ("vendor", "name", "version"))
    parts = _VERSION(version.value) if version is not None and isinstance(version.value, str) else None
    if parts is not None and vendor is not None and vendor.word and name is not None and name.word:
        yield _Schema(root, vendor.word, name.word, (int(parts[1]), int(parts[2]), int(parts[3])))


def _newest(schemas: Sequence[_Schema]) -> Iterator[_Schema]:
    """Of each model the newest revision, in the order in which events first come; older ones are reported."""
    models: dict[tuple[str, str, int], list[_Schema]] = {}
    for schema in schemas:
        models.setdefault((schema.vendor, schema.name, schema.version[0]), []).append(schema)
    for found in models.values():
        newest = max(found, key=lambda each: each.version)
        for each in found:
            if each is not newest:
                said = "-".join(map(str, newest.version))
                each.root.drop(f"the event is as the newest schema of its model describes it, {said}")
        yield newest


def _read_event(schema: _Schema, draft: SpecDraft) -> None:
    root = schema.root
    model = schema.version[0] if 1 <= schema.version[0] <= _LARGEST_VERSION else 1
    said = root.find("self", "version")
    name = root.find("self", "name")
    for key in ("vendor", "name"):
        cursor = root.find("self", key)
        if cursor is not None:
            cursor.take()
    if said is not None and said.value == f"{model}-0-0":
        said.take()
    elif said is not None:
        said.approximate(
            f"versions are whole numbers: it became {model}, the model", target=f"{draft.next_target}.version"
        )
    format_ = root.find("self", "format")
    if format_ is not None and format_.value == "jsonschema":
        format_.take()
    event = draft.add_event(f"{schema.vendor}/{schema.name}", model, name or root)
    view = SchemaView(root, root)
    event.describe(view.get("description"))
    read_payload(view, event)


def _name_of(schemas: Sequence[_Schema]) -> str:
    """The vendor, or what the vendors have in common, or nothing of it."""
    words = [schema.vendor.split(".") for schema in schemas]
    shared = next((n for n in range(len(words[0]), 0, -1) if all(each[:n] == words[0][:n] for each in words)), 0)
    return ".".join(words[0][:shared]) if shared > 1 else NAME
