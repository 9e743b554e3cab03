"""Reading metrics.yaml, pings.yaml and tags.yaml of Glean.

Source: the schemas of glean_parser for metrics, pings and tags (versions 1-0-0 and 2-0-0).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from telemetry.core.enums import PropertyType
from telemetry.formats.building import EventDraft, ImportOptions, PropertyDraft, SpecDraft
from telemetry.formats.cursor import Cursor, Ledger
from telemetry.formats.fitting import allowed_values
from telemetry.formats.glean.values import (
    CATEGORY_OF_LEVEL,
    EXTRA_TYPES,
    METRIC_TYPES,
    PING_TAG,
    SENSITIVITIES,
    SENSITIVITY_TAG,
    level_of,
    owner_of_email,
)
from telemetry.formats.losses import LossReport
from telemetry.formats.sources import Imported, SourceFile, invalid, read_plain

__all__ = ["NAME", "is_glean", "read_glean"]

NAME: Final = "glean"
_KINDS: Final = re.compile(r"moz://mozilla\.org/schemas/glean/(metrics|pings|tags)/")
_GLEAN_ONLY: Final = "it is of use inside Glean only"
_REASONS: Final[Mapping[str, str]] = {
    "$schema": "it names the schema of the file, not what it says",
    **dict.fromkeys(("bugs", "data_reviews"), "links have no place"),
    **dict.fromkeys(("lifetime", "telemetry_mirror", "gecko_datapoint", "denominator_metric", "metadata"), _GLEAN_ONLY),
    **dict.fromkeys(("range_min", "range_max", "bucket_count", "histogram_type"), "values are kept, not histograms"),
    **dict.fromkeys(("send_if_empty", "enabled", "ping_schedule", "uploader_capabilities"), _GLEAN_ONLY),
    "no_lint": "it names rules of another linter",
    "structure": "what is inside a json value is not described",
    "labels": "the values cannot be listed for a property of this type",
}
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch
_PREFIXES: Final = ("labeled_", "dual_labeled_")
_RECORDED: Final = "each recording is an event here; Glean adds them up on the device"


def is_glean(_file: SourceFile, plain: object) -> bool:
    """Whether the data is a file of Glean: it says so, or has metrics with what Glean demands of them."""
    return _kind_of(Ledger().open(plain)) is not None


def _kind_of(root: Cursor) -> str | None:
    said = root.get("$schema")
    found = _KINDS.match(said.value) if said is not None and isinstance(said.value, str) else None
    if found is not None:
        return found[1]
    metrics = [metric for _, category in root.fields() for _, metric in category.fields()]
    is_metrics = any(
        metric.get("type") is not None and metric.get("notification_emails") is not None for metric in metrics
    )
    return "metrics" if is_metrics else None


def read_glean(files: Sequence[SourceFile], options: ImportOptions) -> Imported:
    """One spec with an event for each metric and each ping. Raises ``InvalidDocument`` if a file is none of Glean's."""
    ledger = Ledger(reasons=_REASONS)
    roots = [(file, ledger.open(read_plain(file), file=file.name if len(files) > 1 else "")) for file in files]
    draft = SpecDraft(ledger, roots[0][1], options)
    for file, root in roots:
        kind = _kind_of(root)
        if kind is None:
            message = "must be a file of metrics or pings: $schema names its kind, or metrics have notification_emails"
            raise invalid("missing_key", message, path="$schema", what=f"file {file.name}")
        if kind == "metrics":
            _read_metrics(root, draft)
        elif kind == "pings":
            _read_pings(root, draft)
        else:
            _read_tags(root, draft)
    spec = draft.build(name=files[0].stem)
    names = tuple(file.name for file in files)
    return Imported((spec,), LossReport(format=NAME, sources=names, specs=(spec.meta.name,), losses=ledger.losses()))


def _read_metrics(root: Cursor, draft: SpecDraft) -> None:
    for category, metrics in root.fields():
        if category in ("$schema", "no_lint", "$tags"):
            continue
        for name, metric in metrics.fields():
            type_ = metric.get("type")
            if type_ is not None and isinstance(type_.value, str):
                _read_metric(f"{category}.{name}", metric, type_, draft)


def _read_metric(name: str, metric: Cursor, type_: Cursor, draft: SpecDraft) -> None:
    version = metric.get("version")
    event = draft.add_event(name, draft.version_of(version, target=f"{draft.next_target}.version"), metric)
    event.describe(metric.get("description"))
    if type_.value == "event":
        type_.take()
        _read_extras(metric.get("extra_keys"), event)
    else:
        _read_value(metric, type_, event)
    _read_care(metric, event)


def _read_extras(extras: Cursor | None, event: EventDraft) -> None:
    if extras is not None and extras.is_leaf and extras.kind == "object":
        extras.take()
    for name, extra in extras.fields() if extras is not None else ():
        definition = event.properties.add(name, extra)
        if definition is None:
            continue
        type_ = extra.get("type")
        definition.plain["type"] = PropertyType.STRING.value
        if type_ is not None and type_.word in EXTRA_TYPES:
            definition.plain["type"] = EXTRA_TYPES[type_.word].value
            if type_.value == "quantity":
                type_.approximate("every number is taken, not only whole ones", target=f"{definition.target}.type")
            type_.take()
        elif type_ is not None:
            type_.approximate("it is text here", target=f"{definition.target}.type")
        definition.describe(extra.get("description"))


def _read_value(metric: Cursor, type_: Cursor, event: EventDraft) -> None:
    """A metric that is no event: each recording is one, with the value, and the label if it has one."""
    word = str(type_.value)
    plain = word
    for prefix in _PREFIXES:
        plain = plain.removeprefix(prefix)
    kind = METRIC_TYPES.get(plain)
    type_.approximate(
        _RECORDED if kind is not None or plain == "rate" else f"{_RECORDED}; any value is taken", target=event.target
    )
    if plain != word:
        labels = event.properties.add("label", metric)
        if labels is not None:
            _read_labels(metric.get("labels"), labels)
    for name in ("numerator", "denominator") if plain == "rate" else ("value",):
        value = event.properties.add(name, metric)
        if value is not None:
            value.plain.update(
                {
                    "type": (PropertyType.NUMBER if plain == "rate" else kind or PropertyType.JSON).value,
                    "required": True,
                }
            )
            _read_unit(metric, value)


def _read_labels(labels: Cursor | None, definition: PropertyDraft) -> None:
    definition.plain.update({"type": PropertyType.STRING.value, "required": True})
    values = allowed_values(labels.items(), PropertyType.STRING, target=definition.target) if labels is not None else []
    if values:
        definition.plain["allowedValues"] = values


def _read_unit(metric: Cursor, definition: PropertyDraft) -> None:
    if definition.plain["type"] != PropertyType.NUMBER.value:
        return
    for key in ("time_unit", "memory_unit", "unit"):
        unit = metric.get(key)
        if unit is not None and isinstance(unit.value, str) and "unit" not in definition.plain:
            definition.put("unit", unit)


def _read_care(metric: Cursor, event: EventDraft) -> None:
    """Who cares for a metric or ping, how sensitive it is, where it is sent, and until when."""
    _read_owners(metric.get("notification_emails"), event)
    _read_sensitivity(metric.get("data_sensitivity"), event)
    for key, prefix in (("send_in_pings", PING_TAG), ("tags", "")):
        listed = metric.get(key) if prefix else metric.find("metadata", key)
        for cursor in listed.items() if listed is not None else ():
            if isinstance(cursor.value, str):
                event.tag(cursor, f"{prefix}{cursor.value}")
    _read_expiry(metric.get("expires"), event)
    disabled = metric.get("disabled")
    if disabled is not None and disabled.value is True:
        event.deprecate(disabled, "It is disabled in Glean")
    elif disabled is not None and disabled.value is False:
        disabled.take()


def _read_owners(emails: Cursor | None, event: EventDraft) -> None:
    owners: list[str] = []
    for cursor in emails.items() if emails is not None else ():
        owner = owner_of_email(cursor.value) if isinstance(cursor.value, str) else None
        if owner is not None and owner not in owners and len(owners) < 50:
            owners.append(owner)
            cursor.rename(str(cursor.take()), owner, "owners begin with @", target=f"{event.target}.owners")
    if owners:
        event.plain["owners"] = owners


def _read_sensitivity(listed: Cursor | None, event: EventDraft) -> None:
    """The event is as closed as its most sensitive data; the categories are tags, so that none gets lost."""
    known = [each for each in (listed.items() if listed is not None else ()) if each.word in SENSITIVITIES]
    if not known:
        return
    level = level_of([cursor.word for cursor in known])
    event.plain["privacy"] = level.value
    event.has_privacy = True
    for cursor in known:
        if [each.value for each in known] == [CATEGORY_OF_LEVEL[level]]:
            cursor.take()
        else:
            event.tag(cursor, f"{SENSITIVITY_TAG}{cursor.value}")


def _read_expiry(expires: Cursor | None, event: EventDraft) -> None:
    if expires is None:
        return
    if expires.value == "never":
        expires.take()
    elif expires.value == "expired":
        event.deprecate(expires, "It has expired in Glean")
    elif isinstance(expires.value, str) and _DATE(expires.value):
        event.put("reviewBy", expires)
        expires.approximate(
            "collection does not end by itself; somebody is to look at it then", target=f"{event.target}.reviewBy"
        )


def _read_pings(root: Cursor, draft: SpecDraft) -> None:
    for name, ping in root.fields():
        if name in ("$schema", "no_lint", "$tags") or ping.kind != "object":
            continue
        event = draft.add_event(name, 1, ping)
        event.describe(ping.get("description"))
        client = ping.get("include_client_id")
        if client is not None and client.value is True:
            definition = event.properties.add("client_id", client)
            if definition is not None:
                client.approximate("the id of the client is a property", target=definition.target)
                definition.plain.update({"type": PropertyType.STRING.value, "pii": True, "redact": True})
        elif client is not None and client.value is False:
            client.take()
        _read_reasons(ping.get("reasons"), event)
        _read_care(ping, event)


def _read_reasons(reasons: Cursor | None, event: EventDraft) -> None:
    if reasons is None or reasons.is_leaf:
        return
    definition = event.properties.add("reason", reasons)
    if definition is None:
        return
    names = [name for name, _ in reasons.fields()]
    definition.plain.update({"type": PropertyType.STRING.value})
    if all(len(name) <= 200 for name in names) and len(names) <= 500:
        definition.plain["allowedValues"] = names
    for _, cursor in reasons.fields():
        cursor.drop("what a listed value means has no place")


def _read_tags(root: Cursor, draft: SpecDraft) -> None:
    """Names of tags are tags of the spec; what they mean has no place."""
    for name, tag in root.fields():
        if name in ("$schema", "no_lint"):
            continue
        tag.drop("what a tag means has no place")
        draft.tag(tag, name)
