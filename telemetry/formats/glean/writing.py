"""Writing metrics.yaml of Glean: an event metric for each event."""

import re
from typing import Any, Final

from telemetry.core.enums import PrivacyLevel, PropertyType
from telemetry.core.plain import to_plain
from telemetry.core.shapes import write_path
from telemetry.core.spec import TelemetrySpec
from telemetry.core.yaml_documents import write_yaml
from telemetry.formats.cursor import Cursor, Ledger
from telemetry.formats.glean.reading import NAME
from telemetry.formats.glean.values import (
    CATEGORY_OF_LEVEL,
    EXTRA_TYPES,
    PING_TAG,
    SENSITIVITIES,
    SENSITIVITY_TAG,
    email_of_owner,
    level_of,
)
from telemetry.formats.losses import LossReport
from telemetry.formats.naming import Names
from telemetry.formats.payloads import write_description
from telemetry.formats.sources import Exported, SourceFile

__all__ = ["write_glean"]

_SCHEMA: Final = "moz://mozilla.org/schemas/glean/metrics/2-0-0"
_NO_PLACE: Final = "Glean has no place for it"
_RESERVED: Final = ("pings", "no_lint")
# Source: the schema of glean_parser: a category has at most 40 characters, a metric 30, the key of an extra 40.
_LONGEST_CATEGORY, _LONGEST_METRIC, _LONGEST_KEY = 40, 30, 40
_TYPES: Final = {type_.value: word for word, type_ in EXTRA_TYPES.items()}


def write_glean(spec: TelemetrySpec) -> Exported:
    """One file of metrics; names are in snake case, as Glean demands."""
    ledger = Ledger(reasons={"meta": _NO_PLACE, "config": _NO_PLACE, "events": _NO_PLACE}, write=write_path)
    root = ledger.open(to_plain(spec))
    document: dict[str, Any] = {"$schema": _SCHEMA}
    events, names = root.get("events"), Names()
    categories: list[str] = []
    for event in events.items() if events is not None else ():
        category, metric = _address(event, spec.meta.name, names)
        document.setdefault(category, {})[metric] = _write_metric(event)
        categories.append(category)
    if events is not None and categories != sorted(categories, key=list(document).index):
        events.remark("events stand by their category, so their order is another")
    data = b"---\n" + write_yaml(document).encode()
    report = LossReport(format=NAME, sources=(), specs=(spec.meta.name,), losses=ledger.losses())
    return Exported((SourceFile(f"{spec.meta.name}.metrics.yaml", data),), report)


def _address(event: Cursor, spec_name: str, names: Names) -> tuple[str, str]:
    """Category and metric: the words before the last dot of the event's name and after it."""
    cursor = event.get("name")
    name = str(cursor.take()) if cursor is not None else ""
    before, _, after = name.rpartition(".")
    words = [_snake(word, _LONGEST_METRIC) for word in (before or spec_name).split(".") if word]
    category = ".".join(words)[:_LONGEST_CATEGORY].rstrip(".") or "events"
    category = f"_{category}" if category in _RESERVED else category
    metric = names.claim(_snake(after, _LONGEST_METRIC), within=category, longest=_LONGEST_METRIC)
    if cursor is not None and f"{category}.{metric}" != name:
        cursor.rename(name, f"{category}.{metric}", "names are categories and words in snake case, without versions")
    return category, metric


def _snake(text: str, longest: int) -> str:
    """The text in lower case, its words joined by underscores."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)
    word = re.sub(r"[^a-z0-9_]", "_", parted.lower())[:longest]
    return word if re.match(r"[a-z_]", word) else f"_{word}"[:longest]


def _write_metric(event: Cursor) -> dict[str, Any]:
    version, tags = event.get("version"), event.get("tags")
    listed = [str(tag.value) for tag in (tags.items() if tags is not None else ())]
    metric: dict[str, Any] = {"type": "event", "description": write_description(event)}
    if version is not None:
        metric["version"] = version.take()
    metric |= _write_owners(event)
    metric |= _write_sensitivity(event, listed)
    pings = [tag.removeprefix(PING_TAG) for tag in listed if tag.startswith(PING_TAG)]
    others = [tag for tag in listed if not tag.startswith(PING_TAG) and not _is_sensitivity(tag)]
    if pings:
        metric["send_in_pings"] = pings
    if others:
        metric["metadata"] = {"tags": others}
    _account_tags(tags, listed)
    metric |= _write_expiry(event)
    extras = _write_extras(event)
    for key in ("bugs", "data_reviews"):
        event.lack("Glean demands links, which a spec does not have", target=key)
        metric[key] = []
    return {**metric, "extra_keys": extras} if extras else metric


def _is_sensitivity(tag: str) -> bool:
    return tag.removeprefix(SENSITIVITY_TAG) in SENSITIVITIES and tag.startswith(SENSITIVITY_TAG)


def _account_tags(tags: Cursor | None, listed: list[str]) -> None:
    """Readers list sensitivities first, then pings, then other tags; a sensitivity that the level implies is none."""
    if tags is None:
        return
    categories = [tag for tag in listed if _is_sensitivity(tag)]
    words = [tag.removeprefix(SENSITIVITY_TAG) for tag in categories]
    is_implied = len(words) == 1 and words == [CATEGORY_OF_LEVEL[level_of(words)]]
    pings = [tag for tag in listed if tag.startswith(PING_TAG)]
    others = [tag for tag in listed if tag not in categories and tag not in pings]
    if [*([] if is_implied else dict.fromkeys(categories)), *pings, *others] == listed:
        tags.take()
    else:
        tags.approximate("sensitivities and pings have places of their own, so the order is another")


def _write_owners(event: Cursor) -> dict[str, list[str]]:
    emails: list[str] = []
    owners = event.get("owners")
    for cursor in owners.items() if owners is not None else ():
        email = email_of_owner(str(cursor.value))
        if email is not None and email not in emails:
            emails.append(email)
            cursor.take()
    if not emails:
        event.lack(
            "Glean demands addresses to write to; owners such as @example.com/team have one",
            target="notification_emails",
        )
    return {"notification_emails": emails}


def _write_sensitivity(event: Cursor, tags: list[str]) -> dict[str, list[str]]:
    privacy = event.get("privacy")
    if privacy is None:
        return {}
    level = PrivacyLevel(str(privacy.value))
    categories = [tag.removeprefix(SENSITIVITY_TAG) for tag in tags if _is_sensitivity(tag)] or [
        CATEGORY_OF_LEVEL[level]
    ]
    if level_of(categories) is level:
        privacy.take()
    else:
        privacy.approximate("the categories of Glean are not as open or closed as the level")
    return {"data_sensitivity": list(dict.fromkeys(categories))}


def _write_expiry(event: Cursor) -> dict[str, str]:
    deprecation, review = event.get("deprecation"), event.get("reviewBy")
    if deprecation is not None:
        deprecation.approximate("it has expired, without a reason or another event")
        return {"expires": "expired"}
    return {"expires": review.take() if review is not None else "never"}


def _write_extras(event: Cursor) -> dict[str, Any]:
    extras: dict[str, Any] = {}
    properties, names = event.get("properties"), Names()
    for name, definition in properties.fields() if properties is not None else ():
        key = names.claim(_snake(name, _LONGEST_KEY), longest=_LONGEST_KEY)
        if key != name:
            definition.rename(name, key, "keys are words in snake case")
        extras[key] = _write_extra(definition)
    return extras


def _write_extra(definition: Cursor) -> dict[str, str]:
    type_, description = definition.get("type"), definition.get("description")
    word = PropertyType.STRING.value
    if type_ is not None and type_.value in _TYPES:
        word = _TYPES[str(type_.value)]
        if word == "quantity":
            type_.approximate("a quantity is a whole number")
        type_.take()
    elif type_ is not None:
        type_.approximate("an extra is text, a whole number or a truth value")
    return {"type": word, "description": description.take() if description is not None else ""}
