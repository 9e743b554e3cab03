"""What the files of a registry define: attributes and groups by name, and the signals that refer to them.

Sources: OpenTelemetry weaver, semantic convention definition language, versions 1 (``groups``) and 2
(``file_format: definition/2``).
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from telemetry.formats.cursor import Cursor

__all__ = ["Attribute", "Registry", "Signal", "is_registry"]

_LISTS: Final = ("attributes", "events", "metrics", "spans", "entities", "attribute_groups", "imports")
# Lists of signals in version 2, with the key of their name.
_SIGNALS: Final = {"events": ("event", "name"), "metrics": ("metric", "name"), "spans": ("span", "type")}
# Groups of signals in version 1, with the key of their name; a span is known by its id.
_GROUP_TYPES: Final = {"event": "name", "metric": "metric_name", "span": "id"}
_PREFIXES: Final = ("event.", "metric.", "span.")
_DEEPEST: Final = 20


def is_registry(root: Cursor) -> bool:
    """Whether a document is a file of semantic conventions."""
    groups = root.get("groups")
    if groups is not None:
        found = list(groups.items())
        return bool(found) and all(each.get("id") is not None for each in found)
    version = root.get("file_format")
    if version is not None and isinstance(version.value, str) and version.value.startswith("definition/"):
        return True
    attributes = root.get("attributes")
    listed = list(attributes.items()) if attributes is not None else []
    is_second = (said := root.get("version")) is not None and str(said.value) == "2"
    return (bool(listed) and all(each.get("key") is not None for each in listed)) or (
        is_second and any(root.get(key) is not None for key in _LISTS)
    )


class Signal(NamedTuple):
    """Something that is sent: ``kind`` is event, metric or span, ``name`` where its name stands."""

    kind: str
    group: Cursor
    name: Cursor


class Attribute(NamedTuple):
    """An attribute of a signal: where it is referred to or defined, and the definition, if these files have it."""

    key: str
    entry: Cursor
    definition: Cursor | None

    def get(self, keyword: str) -> Cursor | None:
        """What the entry says, or else the definition."""
        said = self.entry.get(keyword)
        return said if said is not None or self.definition is None else self.definition.get(keyword)


class Registry:
    """All files of a registry."""

    def __init__(self, roots: Sequence[Cursor]) -> None:
        self.attributes: dict[str, Cursor] = {}
        self.signals: list[Signal] = []
        self._groups: dict[str, Cursor] = {}
        for root in roots:
            self._add_groups(root.get("groups"))
            self._add_definitions(root)

    def _add_groups(self, groups: Cursor | None) -> None:
        for group in groups.items() if groups is not None else ():
            identifier, type_ = group.get("id"), group.get("type")
            if identifier is not None and isinstance(identifier.value, str):
                self._groups.setdefault(identifier.value, group)
            for attribute in _items(group.get("attributes")):
                self._define(attribute.get("id"), attribute, prefix=group.get("prefix"))
            word = str(type_.value) if type_ is not None else "span"
            if word in _GROUP_TYPES:
                name = group.get(_GROUP_TYPES[word]) or identifier
                if name is not None and isinstance(name.value, str):
                    self.signals.append(Signal(word, group, name))

    def _add_definitions(self, root: Cursor) -> None:
        for attribute in _items(root.get("attributes")):
            self._define(attribute.get("key"), attribute)
        for group in _items(root.get("attribute_groups")):
            identifier = group.get("id")
            if identifier is not None and isinstance(identifier.value, str):
                self._groups.setdefault(identifier.value, group)
        for key, (kind, named_by) in _SIGNALS.items():
            for signal in _items(root.get(key)):
                name = signal.get(named_by)
                if name is not None and isinstance(name.value, str):
                    self.signals.append(Signal(kind, signal, name))

    def _define(self, key: Cursor | None, attribute: Cursor, *, prefix: Cursor | None = None) -> None:
        if key is not None and isinstance(key.value, str):
            self.attributes.setdefault(_with_prefix(key.value, prefix), attribute)

    def attributes_of(self, group: Cursor) -> Iterator[Attribute]:
        """Every attribute of a signal or group once, its own before those of groups that it extends or refers to."""
        seen: set[str] = set()
        for attribute in self._collect(group, 0):
            if attribute.key not in seen:
                seen.add(attribute.key)
                yield attribute

    def _collect(self, group: Cursor, depth: int) -> Iterator[Attribute]:
        if depth > _DEEPEST:
            return
        inherited: list[Cursor] = []
        for entry in _items(group.get("attributes")):
            reference, other = entry.get("ref"), entry.get("ref_group")
            key = reference or entry.get("id") or entry.get("key")
            if other is not None:
                inherited.append(other)
            elif key is not None and isinstance(key.value, str):
                key.take()
                name = key.value if reference is not None else _with_prefix(key.value, group.get("prefix"))
                yield Attribute(name, entry, self.attributes.get(name) if reference is not None else None)
        extended = group.get("extends")
        for said in (*inherited, *([extended] if extended is not None else [])):
            target = self._groups.get(said.value) if isinstance(said.value, str) else None
            if target is not None and target.path != group.path:
                said.take()
                _take_identifier(target)
                yield from self._collect(target, depth + 1)


def _take_identifier(group: Cursor) -> None:
    identifier = group.get("id")
    if identifier is not None:
        identifier.take()


def _with_prefix(key: str, prefix: Cursor | None) -> str:
    """Old files write the first words of all keys of a group once."""
    if prefix is None or not isinstance(prefix.value, str) or not prefix.value or key.startswith(f"{prefix.value}."):
        return key
    return f"{prefix.take()}.{key}"


def _items(cursor: Cursor | None) -> list[Cursor]:
    return list(cursor.items()) if cursor is not None else []


def name_of_signal(signal: Signal) -> str:
    """The signal's name; an id without the word that says its kind."""
    name = str(signal.name.value)
    if signal.name.path[-1] != "id":
        return name
    return next((name.removeprefix(prefix) for prefix in _PREFIXES if name.startswith(prefix)), name)
