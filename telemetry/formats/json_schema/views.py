"""A schema together with what it refers to and combines, seen as one."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from telemetry.formats.cursor import Cursor

__all__ = ["SchemaView"]

# Parts of one schema: more than anybody writes, few enough that a hostile document stays cheap.
_MOST_PARTS: Final = 50
_UNRESOLVED: Final = "it refers to a schema that is not in this file"
_SAID_ALREADY: Final = "a nearer part of the schema says it already"


class SchemaView:
    """The keywords of a schema, of the schemas that its ``$ref`` and ``allOf`` name, and of those that they name.

    References lead into the document of ``root``; those that lead elsewhere are reported. Where several parts have a
    keyword, the nearest counts.
    """

    def __init__(self, cursor: Cursor, root: Cursor) -> None:
        self.cursor = cursor
        self.root = root
        self.parts: list[Cursor] = []
        self._collect(cursor)

    @classmethod
    def look(cls, cursor: Cursor, root: Cursor) -> list[Cursor]:
        """The parts that a view would have; nothing is taken over or reported."""
        parts: list[Cursor] = []
        _find_parts(cursor, root, parts)
        return parts

    def _collect(self, cursor: Cursor) -> None:
        before = len(self.parts)
        _find_parts(cursor, self.root, self.parts)
        for part in self.parts[before:]:
            reference = part.get("$ref")
            if reference is None:
                continue
            if _resolve(reference, self.root) is None:
                reference.drop(_UNRESOLVED)
            else:
                reference.take()

    def get(self, keyword: str) -> Cursor | None:
        """The value of a keyword; what farther parts say of it is reported."""
        found = list(self._all(keyword))
        for other in found[1:]:
            other.drop(_SAID_ALREADY)
        return found[0] if found else None

    def _all(self, keyword: str) -> Iterator[Cursor]:
        return (value for part in self.parts if (value := part.get(keyword)) is not None)

    def fields(self, keyword: str) -> Iterator[tuple[str, Cursor]]:
        """Names and schemas of a keyword such as ``properties``, of all parts; the nearest of a name counts."""
        seen: set[str] = set()
        for value in self._all(keyword):
            if value.is_leaf and value.kind == "object":
                value.take()
            for name, schema in value.fields():
                if name in seen:
                    schema.drop(_SAID_ALREADY)
                else:
                    seen.add(name)
                    yield name, schema

    def items(self, keyword: str) -> Iterator[Cursor]:
        """The entries of a keyword such as ``required``, of all parts."""
        for value in self._all(keyword):
            if value.is_leaf and value.kind == "list":
                value.take()
            yield from value.items()

    def extend(self, cursor: Cursor) -> None:
        """The schema at the cursor is one more part, farther than the others."""
        self._collect(cursor)

    def drop(self, keyword: str, reason: str) -> None:
        """What the parts say of the keyword is reported."""
        for value in self._all(keyword):
            value.drop(reason)


def _find_parts(cursor: Cursor, root: Cursor, parts: list[Cursor]) -> None:
    """Adds the schema, what it refers to, and what it combines, each once."""
    if len(parts) >= _MOST_PARTS or any(part.path == cursor.path for part in parts):
        return
    parts.append(cursor)
    reference, combined = cursor.get("$ref"), cursor.get("allOf")
    target = _resolve(reference, root) if reference is not None else None
    if target is not None:
        _find_parts(target, root, parts)
    for each in combined.items() if combined is not None else ():
        _find_parts(each, root, parts)


def _resolve(reference: Cursor, root: Cursor) -> Cursor | None:
    """The place that a reference such as ``#/$defs/name`` or ``#anchor`` leads to."""
    text = reference.value
    if not isinstance(text, str) or not text.startswith("#"):
        return None
    if text not in ("#", "#/") and not text.startswith("#/"):
        return _find_anchor(text, root)
    here: Cursor | None = root
    for step in text[1:].split("/")[1:]:
        here = _step(here, unquote(step).replace("~1", "/").replace("~0", "~"))
    return here


def _find_anchor(text: str, root: Cursor) -> Cursor | None:
    """The definition with this anchor, or, in older dialects, with this fragment as its ``$id``."""
    names = {"$anchor": text[1:], "$dynamicAnchor": text[1:], "$id": text, "id": text}
    for group in (root.get("$defs"), root.get("definitions")):
        for _, schema in group.fields() if group is not None else ():
            if any((said := schema.get(key)) is not None and said.value == name for key, name in names.items()):
                return schema
    return None


def _step(here: Cursor | None, key: str) -> Cursor | None:
    if here is None:
        return None
    if here.kind == "list" and key.isascii() and key.isdigit():
        return next((item for item in here.items() if item.path[-1] == int(key[:9])), None)
    return here.get(key)
