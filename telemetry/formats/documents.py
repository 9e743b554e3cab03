"""Reading documents in the shape of specs that others may have written: what breaks a rule is reported, not refused."""

from collections.abc import Mapping
from typing import Any, Final

from telemetry.core.enums import PropertyType
from telemetry.core.plain import document_fields
from telemetry.core.spec import (
    AnomalyDetection,
    EventDefinition,
    PropertyDefinition,
    Retention,
    Sampling,
    Semantics,
    TelemetryDefaults,
    TelemetryMeta,
)
from telemetry.formats.building import EventDraft, PropertyDraft, PropertySet, SpecDraft
from telemetry.formats.cursor import Cursor, Unevaluated
from telemetry.formats.fitting import fit_text, fits

__all__ = ["read_spec_document"]

_SAID_ELSEWHERE: Final = ("name", "key", "version", "semantics", "properties", "privacy", "sampling", "retention")
# Parts that are taken over key by key, so that one broken key does not take the others with it.
_PARTS: Final[Mapping[str, tuple[type, str]]] = {
    "retention": (Retention, "days"),
    "sampling": (Sampling, "rate"),
}


def _keys(type_: type, *without: str) -> frozenset[str]:
    return frozenset(key for _, key, _ in document_fields(type_)) - frozenset(without)


_OF_META: Final = _keys(TelemetryMeta, "name", "version", "title")
_OF_CONFIG: Final = _keys(TelemetryDefaults, "contextProperties")
_OF_EVENTS: Final = _keys(EventDefinition, *_SAID_ELSEWHERE, "anomalyDetection")
_OF_ANOMALIES: Final = _keys(AnomalyDetection, "thresholds")
_OF_PROPERTIES: Final = _keys(PropertyDefinition, "type", "description")


def read_spec_document(root: Cursor, draft: SpecDraft) -> None:
    """The draft says what the document says, as far as that keeps the rules; ``key`` may stand for ``name``."""
    meta, config, events = root.get("meta"), root.get("config"), root.get("events")
    if meta is not None:
        _read_meta(meta, draft)
    if config is not None:
        for key, cursor in config.fields():
            if key in _OF_CONFIG:
                draft.origins.put(draft.config, "config", key, cursor)
        _read_properties(config.get("contextProperties"), draft.context)
    if events is not None and events.is_leaf:
        events.take()
    for event in events.items() if events is not None else ():
        _read_event(event, draft)


def _name_in(cursor: Cursor, target: str) -> Cursor | None:
    """The name, which newer files of the origin call key."""
    name, key = cursor.get("name"), cursor.get("key")
    if name is None and key is not None:
        key.remark("what is called key there is called name here", target=target)
    return name or key


def _read_meta(meta: Cursor, draft: SpecDraft) -> None:
    draft.name(_name_in(meta, "meta.name"))
    draft.title(meta.get("title"))
    version = meta.get("version")
    if version is not None:
        draft.meta["version"] = draft.version_of(version, target="meta.version")
    for key, cursor in meta.fields():
        if key in _OF_META:
            draft.origins.put(draft.meta, "meta", key, cursor)


def _read_event(cursor: Cursor, draft: SpecDraft) -> None:
    name = _name_in(cursor, f"{draft.next_target}.name")
    if name is None or not isinstance(name.value, str):
        return
    version = draft.version_of(cursor.get("version"), target=f"{draft.next_target}.version")
    event = draft.add_event(str(name.take()), version, name)
    _read_semantics(cursor.get("semantics"), event)
    event.protect(cursor.get("privacy"))
    _read_properties(cursor.get("properties"), event.properties)
    for key, part in cursor.fields():
        if key in _OF_EVENTS:
            event.put(key, part)
    for key, (type_, demanded) in _PARTS.items():
        _read_part(cursor.get(key), event, key, type_, demanded)
    _read_anomalies(cursor.get("anomalyDetection"), event)


def _read_semantics(semantics: Cursor | None, event: EventDraft) -> None:
    if semantics is None:
        return
    if fits(semantics.value, Semantics):
        event.plain["semantics"] = dict(semantics.take())
        event.is_described = True
        return
    event.describe(semantics.get("what"))
    for key in ("who", "why"):
        text = fit_text(semantics.get(key), target=f"{event.target}.semantics.{key}")
        if text:
            event.plain["semantics"][key] = text


def _read_part(part: Cursor | None, event: EventDraft, key: str, type_: type, demanded: str) -> None:
    """A part that needs one of its keys; the others are taken over one by one."""
    needed = part.get(demanded) if part is not None else None
    if part is None or needed is None:
        return
    event.put(key, needed, {demanded: needed.value})
    for inner, cursor in part.fields():
        if inner != demanded and inner in _keys(type_):
            event.origins.put(event.plain[key], f"{event.target}.{key}", inner, cursor)


def _read_anomalies(said: Cursor | None, event: EventDraft) -> None:
    """Anomaly rules, threshold by threshold, so that one of a metric that nobody declares does not take the others."""
    if said is None:
        return
    rules: dict[str, Any] = {}
    for key, cursor in said.fields():
        if key in _OF_ANOMALIES:
            event.origins.put(rules, f"{event.target}.anomalyDetection", key, cursor)
    thresholds = said.get("thresholds")
    kept = [each.take() for each in (thresholds.items() if thresholds is not None else ()) if _is_metric(each, event)]
    if thresholds is not None and thresholds.is_leaf:
        thresholds.take()
    if kept and thresholds is not None:
        rules["thresholds"] = kept
        event.origins.remember(rules, f"{event.target}.anomalyDetection", "thresholds", thresholds)
    if said.is_leaf:
        said.take()
    event.plain["anomalyDetection"] = rules


def _is_metric(threshold: Cursor, event: EventDraft) -> bool:
    metric = threshold.get("metric")
    declared = event.properties.plain.get(metric.word) if metric is not None else None
    if declared is not None and declared["type"] in (PropertyType.NUMBER.value, PropertyType.JSON.value):
        return True
    threshold.drop("its metric is no number that the event declares")
    return False


def _read_properties(said: Cursor | None, properties: PropertySet) -> None:
    if said is not None and said.is_leaf and said.kind == "object":
        said.take()
    found = [(name, cursor) for name, cursor in (said.fields() if said is not None else ()) if not _is_unknown(cursor)]
    properties.reserve(name for name, _ in found)
    for name, cursor in found:
        definition = properties.add(name, cursor)
        if definition is not None:
            _read_property(cursor, definition)


def _is_unknown(cursor: Cursor) -> bool:
    """Whether nobody can tell what it is; what is spread from elsewhere is no property, and is reported as left out."""
    return isinstance(cursor.value, Unevaluated) and str(cursor.path[-1]).startswith("...")


def _read_property(cursor: Cursor, definition: PropertyDraft) -> None:
    type_ = cursor.get("type")
    if type_ is not None and type_.word in tuple(PropertyType):
        definition.plain["type"] = type_.take()
    elif type_ is not None and isinstance(type_.value, str):
        type_.approximate("the type is not known; any value is taken", target=f"{definition.target}.type")
    definition.describe(cursor.get("description"))
    for key, part in cursor.fields():
        if key in _OF_PROPERTIES:
            definition.put(key, part)
