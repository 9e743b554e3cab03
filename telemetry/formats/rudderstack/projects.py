"""Projects of RudderStack's command line: YAML files of events, properties, types and plans that refer to each other.

Source: RudderStack's reference of the files of rudder-cli, versions rudder/0.1 (``#/events/GROUP/ID``) and rudder/v1
(``#event:ID``).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from telemetry.core.enums import PropertyType
from telemetry.core.spec import TelemetrySpec
from telemetry.formats.building import EventDraft, ImportOptions, PropertyDraft, SpecDraft
from telemetry.formats.cursor import Cursor, Ledger
from telemetry.formats.fitting import allowed_values, fit_text
from telemetry.formats.payloads import KINDS, name_of_call

__all__ = ["Project", "is_resource"]

_PLANS: Final = ("tp", "tracking-plan")
# Kinds of files, with the key of their list and the kind that references name.
_LISTS: Final[Mapping[str, tuple[str, str]]] = {
    "events": ("events", "event"),
    "properties": ("properties", "property"),
    "custom-types": ("types", "custom-type"),
    "categories": ("categories", "category"),
}
_TYPES: Final[Mapping[str, PropertyType]] = {
    "string": PropertyType.STRING,
    "number": PropertyType.NUMBER,
    "integer": PropertyType.NUMBER,
    "boolean": PropertyType.BOOLEAN,
    "array": PropertyType.JSON,
    "object": PropertyType.JSON,
}
_CONFIGS: Final = ("propConfig", "config")
_UNKNOWN: Final = "it refers to something that these files do not define"
_NESTED: Final = "what is inside a json value is not described"


def is_resource(root: Cursor) -> bool:
    """Whether a document is a file of a project."""
    kind, spec = root.get("kind"), root.get("spec")
    return kind is not None and kind.word in (*_PLANS, *_LISTS) and spec is not None and spec.kind == "object"


class Project:
    """The resources of some files, by kind and id."""

    def __init__(self, roots: Sequence[Cursor]) -> None:
        self._roots = roots
        self._resources: dict[tuple[str, str], Cursor] = {}
        self._plans: list[Cursor] = []
        for root in roots:
            self._add(root)

    def _add(self, root: Cursor) -> None:
        kind, spec = root.get("kind"), root.get("spec")
        if kind is None or spec is None:
            return
        word = str(kind.take())
        if word in _PLANS:
            self._plans.append(spec)
            return
        key, singular = _LISTS[word]
        resources = spec.get(key)
        for resource in resources.items() if resources is not None else ():
            identifier = resource.get("id")
            if identifier is not None and isinstance(identifier.value, str):
                self._resources.setdefault((singular, identifier.value), resource)

    def read(self, ledger: Ledger, options: ImportOptions, *, name: str) -> Iterator[TelemetrySpec]:
        """One spec for each plan; without a plan, one of all events."""
        for number, plan in enumerate(self._plans, start=1):
            draft = SpecDraft(ledger, plan, options)
            self._read_plan(plan, draft)
            yield draft.build(name=name if number == 1 else f"{name}_{number}")
        if self._roots and not self._plans:
            draft = SpecDraft(ledger, self._roots[0], options)
            for (kind, _), resource in self._resources.items():
                if kind == "event":
                    self._add_event(resource, resource, draft)
            yield draft.build(name=name)

    def _read_plan(self, plan: Cursor, draft: SpecDraft) -> None:
        draft.name(plan.get("id"))
        draft.title(plan.get("display_name"))
        description = fit_text(plan.get("description"), target="meta.description")
        if description:
            draft.meta["description"] = description
        rules = plan.get("rules")
        if rules is not None and rules.is_leaf:
            rules.take()
        for rule in rules.items() if rules is not None else ():
            type_ = rule.get("type")
            if type_ is not None and type_.value == "event_rule":
                type_.take()
            self._read_rule(rule, draft)

    def _read_rule(self, rule: Cursor, draft: SpecDraft) -> None:
        said = rule.get("event")
        reference = said.get("$ref") if said is not None and said.kind == "object" else said
        if reference is None:
            return
        event = self._add_event(self._resolve(reference, "event"), reference, draft)
        properties = rule.get("properties")
        if properties is not None and properties.is_leaf:
            properties.take()
        for each in properties.items() if properties is not None else ():
            self._read_property(each, event)

    def _add_event(self, resource: Cursor | None, reference: Cursor, draft: SpecDraft) -> EventDraft:
        if resource is None:
            reference.approximate(f"{_UNKNOWN}; the event is named by the reference", target=draft.next_target)
            return draft.add_event(_identifier_of(reference), 1, reference)
        name, type_ = resource.get("name"), resource.get("event_type")
        word = str(type_.value).lower() if type_ is not None else "track"
        kind = word if word in KINDS else "track"
        if type_ is not None and word in ("track", *KINDS):
            type_.take()
        said = str(name.take()) if name is not None and isinstance(name.value, str) else ""
        event = draft.add_event(name_of_call(kind, said), 1, name or resource)
        event.describe(resource.get("description"))
        return event

    def _read_property(self, entry: Cursor, event: EventDraft) -> None:
        reference = entry.get("$ref") or entry.get("property")
        if reference is None:
            return
        resource = self._resolve(reference, "property")
        name = resource.get("name") if resource is not None else None
        text = str(name.take()) if name is not None and isinstance(name.value, str) else _identifier_of(reference)
        definition = event.properties.add(text, name or reference)
        if definition is None:
            return
        if resource is None:
            reference.approximate(f"{_UNKNOWN}; any value is taken", target=definition.target)
        else:
            self._define(resource, definition)
        required, nested = entry.get("required"), entry.get("properties")
        if required is not None and isinstance(required.value, bool):
            definition.put("required", required)
        if nested is not None:
            nested.drop(_NESTED)

    def _define(self, resource: Cursor, definition: PropertyDraft) -> None:
        definition.describe(resource.get("description"))
        configs = [config for key in _CONFIGS if (config := resource.get(key)) is not None]
        types = [*self._types(resource, configs)]
        words = {str(each.value) for each in types}
        kinds = {_TYPES[word] for word in words if word in _TYPES}
        type_ = kinds.pop() if len(kinds) == 1 else PropertyType.JSON
        for cursor in types:
            _account_type(cursor, type_, definition.target)
        for config in configs:
            type_ = _read_config(config, type_, definition)
        definition.plain["type"] = type_.value

    def _types(self, resource: Cursor, configs: list[Cursor]) -> Iterator[Cursor]:
        """The words of the types, those of custom types among them, whose settings count as well."""
        said = resource.get("types") or resource.get("type")
        if said is None:
            return
        for cursor in said.items() if said.kind == "list" else [said]:
            custom = self._resolve(cursor, "custom-type") if str(cursor.value).startswith("#") else None
            if custom is None or custom.path == resource.path:
                yield from [cursor] if cursor.kind == "text" else []
                continue
            configs += [config for key in _CONFIGS if (config := custom.get(key)) is not None]
            inner = custom.get("type")
            if inner is not None and inner.kind == "text":
                yield inner

    def _resolve(self, reference: Cursor, kind: str) -> Cursor | None:
        """What the reference leads to, if these files define it; then the reference is taken over."""
        if not isinstance(reference.value, str):
            return None
        found = self._resources.get((kind, _identifier_of(reference)))
        if found is not None:
            reference.take()
        return found


def _identifier_of(reference: Cursor) -> str:
    """The id in ``#/events/GROUP/ID`` or ``#event:ID``."""
    text = str(reference.value)
    return text.rpartition("/")[2] if "/" in text else text.rpartition(":")[2]


def _account_type(cursor: Cursor, type_: PropertyType, target: str) -> None:
    words = [word.strip() for word in str(cursor.value).split(",")]
    if len(words) > 1 or cursor.word not in _TYPES:
        cursor.approximate("a property has one type, and json takes every value", target=f"{target}.type")
    elif cursor.value == "integer":
        cursor.approximate("every number is taken, not only whole ones", target=f"{target}.type")
    elif type_ is PropertyType.JSON:
        cursor.approximate("json takes any value", target=f"{target}.type")
    else:
        cursor.take()


def _read_config(config: Cursor, type_: PropertyType, definition: PropertyDraft) -> PropertyType:
    """What the settings of a property say that has a place; the type may be another by them."""
    format_, listed = config.get("format"), config.get("enum")
    if format_ is not None and format_.value == "date-time" and type_ is PropertyType.STRING:
        format_.take()
        return PropertyType.TIMESTAMP
    values: list[Any] = allowed_values(listed.items(), type_, target=definition.target) if listed is not None else []
    if values:
        definition.plain["allowedValues"] = values
    return type_
