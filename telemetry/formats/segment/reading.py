"""Reading tracking plans of Segment: of the Public API, of the older Config API, alone or in lists.

Sources: Segment's Public API (Tracking Plans, rules with ``jsonSchema``) and Config API (``rules.events``).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from telemetry.core.spec import TelemetrySpec
from telemetry.formats.building import ImportOptions, SpecDraft
from telemetry.formats.cursor import Cursor, Ledger
from telemetry.formats.fitting import fit_text
from telemetry.formats.json_schema.importing import KEYWORD_REASONS, read_property
from telemetry.formats.json_schema.views import SchemaView
from telemetry.formats.losses import LossReport
from telemetry.formats.payloads import KINDS, read_call_schema, read_common_schema, read_rule
from telemetry.formats.sources import Imported, SourceFile, invalid, read_plain

__all__ = ["NAME", "is_segment_plan", "read_segment_plans"]

NAME: Final = "segment"
_RECORD: Final = "the studio keeps its own record of who changed what, and when"
_REASONS: Final[Mapping[str, str]] = {
    **KEYWORD_REASONS,
    **dict.fromkeys(("createdAt", "updatedAt", "create_time", "update_time", "deprecatedAt"), _RECORD),
    **dict.fromkeys(("id", "resourceSchemaId", "type"), "it is of use inside Segment only"),
    "key": "the name of the property or rule says it",
    "labels": "only the label privacy has a place, and texts can be tags",
    "eventMetadata": "it repeats the name of the rule",
    "pagination": "it is about the answer of the API, not about the plan",
}
# Where lists of plans or a single one stand in answers of the APIs.
_WRAPPERS: Final = ("data", "tracking_plans", "trackingPlans", "trackingPlan", "tracking_plan")
# Zero of Segment's clock stands for "never", in whatever precision.
_NEVER: Final = re.compile(r"0001-01-01T00:00:00(?:\.0+)?Z").fullmatch
_KINDS_OF_TYPES: Final[Mapping[str, str]] = {"TRACK": "track", **{kind.upper(): kind for kind in KINDS}}
# In the Config API, where rules for other calls than tracked events stand.
_KINDS_OF_KEYS: Final = {"identify": "identify", "group": "group", "page": "page", "screen": "screen"}
_TRAIT_LISTS: Final = {"identify_traits": "identify", "group_traits": "group"}


def is_segment_plan(_file: SourceFile, plain: object) -> bool:
    """Whether the data looks like a plan of Segment, or like an answer of its APIs with plans."""
    return bool(list(_find_plans(Ledger().open(plain))))


def read_segment_plans(files: Sequence[SourceFile], options: ImportOptions) -> Imported:
    """One spec for each plan in the files. Raises ``InvalidDocument`` if a file holds none."""
    ledger = Ledger(reasons=_REASONS)
    specs: list[TelemetrySpec] = []
    for file in files:
        root = ledger.open(read_plain(file), file=file.name if len(files) > 1 else "")
        plans = list(_find_plans(root))
        if not plans:
            message = "must be a tracking plan: an object with rules, alone or in the list of an answer"
            raise invalid("missing_key", message, path="rules", what=f"file {file.name}")
        for number, plan in enumerate(plans, start=1):
            specs.append(_read_plan(plan, ledger, options, name=file.stem if number == 1 else f"{file.stem}_{number}"))
    names = tuple(file.name for file in files)
    report = LossReport(
        format=NAME, sources=names, specs=tuple(spec.meta.name for spec in specs), losses=ledger.losses()
    )
    return Imported(tuple(specs), report)


def _find_plans(root: Cursor) -> Iterator[Cursor]:
    """Plans, in the order of the document; an answer of the API may wrap them, and may have only the rules of one."""
    if root.kind == "list" and _items(root) and _are_rules(root):
        yield root
    elif root.kind == "list":
        for each in root.items():
            yield from _find_plans(each)
    elif _are_rules(root.get("rules")):
        yield root
    else:
        for key in _WRAPPERS:
            inner = root.get(key)
            if inner is not None:
                yield from _find_plans(inner)


def _are_rules(rules: Cursor | None) -> bool:
    if rules is None:
        return False
    if rules.kind == "object":
        keys = ("events", "global", *_KINDS_OF_KEYS, *_TRAIT_LISTS)
        is_foreign = any(event.get("eventType") is not None for event in _items(rules.get("events")))
        return any(rules.get(key) is not None for key in keys) and not is_foreign
    return rules.kind == "list" and all(
        _schema_of(each) is not None or (each.get("key") is not None and each.get("type") is not None)
        for each in rules.items()
    )


def _schema_of(rule: Cursor) -> Cursor | None:
    """What a rule asks of its calls; tools that keep rules in files write the key in their own way."""
    return rule.get("jsonSchema") or rule.get("json_schema")


def _items(cursor: Cursor | None) -> list[Cursor]:
    return list(cursor.items()) if cursor is not None else []


def _read_plan(plan: Cursor, ledger: Ledger, options: ImportOptions, *, name: str) -> TelemetrySpec:
    draft = SpecDraft(ledger, plan, options)
    # The Config API has the address of the plan under name.
    draft.name(plan.get("slug"))
    draft.title(plan.get("display_name") or plan.get("name"))
    description = fit_text(plan.get("description"), target="meta.description")
    if description:
        draft.meta["description"] = description
    rules = plan if plan.kind == "list" else plan.get("rules")
    if rules is not None and rules.is_leaf:
        rules.take()
    if rules is not None and rules.kind == "list":
        draft.reserve(str(key.value) for rule in rules.items() if (key := rule.get("key")) is not None)
        for rule in rules.items():
            _read_rule(rule, draft)
    elif rules is not None:
        _read_config_rules(rules, draft)
    return draft.build(name=name)


# The Public API


def _read_rule(rule: Cursor, draft: SpecDraft) -> None:
    schema, type_ = _schema_of(rule), rule.get("type")
    word = type_.value if type_ is not None else "TRACK"
    if type_ is not None and word == "COMMON" and schema is not None:
        type_.take()
        read_common_schema(schema, draft.context)
        return
    kind = _KINDS_OF_TYPES.get(str(word))
    if type_ is not None and kind is not None:
        type_.take()
    key = rule.get("key") or rule.get("name")
    read_rule(rule, key=key, kind=kind or "track", schema=schema, draft=draft)
    never = rule.get("deprecatedAt")
    if never is not None and (never.value is None or _NEVER(str(never.value))):
        never.take()
    elif never is not None and isinstance(never.value, str):
        draft.events[-1].deprecate(never, "Deprecated in Segment")


# The Config API


def _read_config_rules(rules: Cursor, draft: SpecDraft) -> None:
    for key, group in rules.fields():
        if group.is_leaf:
            group.take()
        elif key == "events":
            for rule in group.items():
                read_rule(rule, key=rule.get("name"), kind="track", schema=rule.get("rules"), draft=draft)
        elif key == "global":
            read_common_schema(group, draft.context)
        elif key in _KINDS_OF_KEYS:
            _read_kind(group, _KINDS_OF_KEYS[key], draft)
        elif key in _TRAIT_LISTS:
            _read_traits(group, _TRAIT_LISTS[key], draft)


def _read_kind(group: Cursor, kind: str, draft: SpecDraft) -> None:
    """Rules of one kind of calls: a schema, or a list of rules."""
    if group.kind == "object":
        event = draft.add_event(kind, 1, group)
        event.describe(group.get("description"))
        read_call_schema(group, kind, event, draft.context)
    for rule in group.items():
        read_rule(rule, key=rule.get("name"), kind=kind, schema=rule.get("rules"), draft=draft)


def _read_traits(group: Cursor, kind: str, draft: SpecDraft) -> None:
    """Traits of one kind of calls, each with a name and a schema."""
    event = draft.add_event(kind, 1, group)
    for each in group.items():
        name = each.get("name")
        if name is None or not isinstance(name.value, str):
            continue
        definition = event.properties.add(name.take(), name)
        schema = each.get("rules") or each
        if definition is not None:
            read_property(SchemaView(schema, schema), definition, None)
            if "description" not in definition.plain:
                definition.describe(each.get("description"))
