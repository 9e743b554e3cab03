"""From what Segment's clients send to our events: track calls by their event, other calls by their type."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from studio.api.compat.events import ClientEvent, problem, take_version
from studio.api.compat.values import app_version_of, identifier_of, instant_of, mapping_of, text_of
from telemetry.core.events import Context

__all__ = ["CALLS", "Batch", "key_in", "read_batch", "read_call"]

# The kinds of calls by the last word of their address; browsers use the short words.
# Source: Segment's HTTP tracking API, and analytics-next (normalizeApiHost, /v1/t and so on).
CALLS: Final[Mapping[str, str]] = {
    "track": "track",
    "t": "track",
    "page": "page",
    "p": "page",
    "screen": "screen",
    "s": "screen",
    "identify": "identify",
    "i": "identify",
    "group": "group",
    "g": "group",
    "alias": "alias",
    "a": "alias",
}
KINDS: Final = frozenset(CALLS.values())
# What analytics.js adds to each page call by itself.
ADDED_TO_PAGES: Final = frozenset({"path", "referrer", "search", "title", "url"})


class Batch(NamedTuple):
    """The calls of a body, not yet read, what they share, and when the client says that it sent them."""

    records: list[Any]
    context: Mapping[str, Any]
    sent_at: datetime | None


def key_in(body: object) -> str | None:
    """The write key, where browsers put it instead of a header."""
    found = mapping_of(body).get("writeKey")
    return found if isinstance(found, str) and found else None


def read_batch(body: object) -> Batch | None:
    """The calls of a batch; ``None`` if the body has none."""
    records = mapping_of(body).get("batch")
    if not isinstance(records, list):
        return None
    outer = mapping_of(body)
    return Batch(records, mapping_of(outer.get("context")), instant_of(outer.get("sentAt")))


def read_call(record: object, *, batch: Batch, kind: str | None = None) -> ClientEvent:
    """The event that one call stands for; ``kind`` is that of the address, if it names one."""
    if not isinstance(record, dict):
        return problem("", "must be an object")
    kind = kind or text_of(record.get("type"))
    if kind not in KINDS:
        return problem("type", f"must be one of {', '.join(sorted(KINDS))}")
    place = "traits" if kind in ("identify", "group") else "properties"
    if record.get(place) is not None and not isinstance(record[place], dict):
        return problem(place, "must be an object")
    text = record.get("timestamp") or record.get("originalTimestamp")
    occurred_at = instant_of(text)
    if text is not None and occurred_at is None:
        return problem("timestamp", "must be an ISO 8601 timestamp, such as 2026-11-22T10:00:00Z")
    around = {**batch.context, **mapping_of(record.get("context"))}
    version, values = take_version(mapping_of(record.get(place)))
    library = ADDED_TO_PAGES if kind == "page" else frozenset[str]()
    return ClientEvent(
        name=record.get("event") if kind == "track" else kind,
        version=version,
        id=text_of(record.get("messageId")),
        occurred_at=occurred_at,
        sent_at=instant_of(record.get("sentAt")) or batch.sent_at,
        context=_context(record, around, kind),
        given={name: value for name, value in values.items() if name not in library},
        added=_added(record, around, values, library),
        app_version=app_version_of(mapping_of(around.get("app")).get("version")),
        record={name: value for name, value in record.items() if name != "sentAt"},
    )


def _context(record: Mapping[str, Any], around: Mapping[str, Any], kind: str) -> Context:
    """Who and where; the id that an alias call replaces stands where an anonymous one would."""
    library = text_of(mapping_of(around.get("library")).get("name")) or ""
    return Context(
        user_id=text_of(record.get("userId")),
        device_id=text_of(record.get("anonymousId"))
        or (text_of(record.get("previousId")) if kind == "alias" else None),
        session_id=text_of(around.get("sessionId")),
        organization_id=text_of(record.get("groupId")) or text_of(around.get("groupId")),
        channel=identifier_of(record.get("channel")) or identifier_of(library.removeprefix("@").replace("/", ".")),
    )


def _added(
    record: Mapping[str, Any], around: Mapping[str, Any], values: Mapping[str, Any], library: frozenset[str]
) -> dict[str, Any]:
    """The context, the name and category of a page or screen, and what the library knows of a page."""
    own = {name: value for name, value in around.items() if name not in ("sessionId", "groupId")}
    named = {name: record[name] for name in ("name", "category") if record.get(name) is not None}
    return {**own, **named, **{name: value for name, value in values.items() if name in library}}
