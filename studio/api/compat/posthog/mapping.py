"""From what PostHog's clients send to our events.

Two protocols have the same events in slightly different clothes: the one of all clients (``/batch/``, ``/e/``,
``/capture/``) and "capture v1" (``/i/v1/analytics/events``), which the server-side clients can be told to use.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from studio.api.compat.events import ClientEvent, problem, take_version
from studio.api.compat.values import app_version_of, identifier_of, instant_of, mapping_of, text_of
from telemetry.core.events import Context

__all__ = ["Batch", "key_in", "read_batch", "read_event"]

# What posthog-js adds to events without PostHog's own "$" in front.
# Source: posthog-js 1.449, event-utils (CAMPAIGN_PARAMS) and posthog-core (calculateEventProperties).
# fmt: off
ADDED_WITHOUT_SIGN: Final = frozenset({
    "_kx", "bfcid", "dclid", "epik", "fbclid", "gad_source", "gbraid", "gclid", "gclsrc", "igshid", "irclid",
    "li_fat_id", "mc_cid", "msclkid", "oppref", "ph_keyword", "qclid", "rdt_cid", "sccid", "title", "ttclid",
    "twclid", "utm_campaign", "utm_content", "utm_medium", "utm_source", "utm_term", "wbraid",
})
# fmt: on
# Never properties: the key itself, and what the context has under its own names.
TAKEN: Final = frozenset({"token", "distinct_id", "$distinct_id", "$device_id", "$session_id", "$anon_distinct_id"})
# Events that say what is known of a person or a group, and nothing else.
ABOUT_SOMEBODY: Final = ("$identify", "$set", "$groupidentify")
# Which of several groups of an event stands for the customer's organisation.
ORGANIZATION_GROUPS: Final = ("organization", "organisation", "company", "account")


class Batch(NamedTuple):
    """The events of a body, not yet read, and when the client says that it sent them."""

    records: list[Any]
    sent_at: datetime | None


def key_in(body: object) -> str | None:
    """The project key where the protocol has it: beside the batch or the event, or in the first event."""
    if isinstance(body, list):
        return key_in(body[0]) if body else None
    outer = mapping_of(body)
    batch = outer.get("batch")
    first = mapping_of(batch[0]) if isinstance(batch, list) and batch else {}
    inner = (mapping_of(outer.get("properties")), first, mapping_of(first.get("properties")))
    found = [*(outer.get(name) for name in ("api_key", "token")), *(each.get("token") for each in inner)]
    return next((each for each in found if isinstance(each, str) and each), None)


def read_batch(body: object) -> Batch | None:
    """The events in any of the protocol's forms: a list, an object with a ``batch``, or one event; else ``None``."""
    if isinstance(body, list):
        return Batch(body, None)
    if not isinstance(body, dict):
        return None
    sent_at = instant_of(body.get("sent_at"))
    if "batch" in body:
        records = body["batch"]
        return Batch(records, sent_at) if isinstance(records, list) else None
    return Batch([body], sent_at) if "event" in body else None


def read_event(record: object, *, sent_at: datetime | None, received_at: datetime) -> ClientEvent:
    """The event that one record holds."""
    if not isinstance(record, dict):
        return problem("", "must be an object")
    properties = mapping_of(record.get("properties"))
    if "properties" in record and not isinstance(record["properties"], dict | None):
        return problem("properties", "must be an object")
    sent_at = instant_of(record.get("sent_at")) or sent_at
    occurred_at = _occurred_at(record, sent_at or received_at)
    if occurred_at is None and record.get("timestamp") is not None:
        return problem("timestamp", "must be an ISO 8601 timestamp, such as 2026-11-22T10:00:00Z")
    version, rest = take_version(properties)
    return ClientEvent(
        name=record.get("event"),
        version=version,
        id=text_of(record.get("uuid")) or text_of(properties.get("$insert_id")),
        occurred_at=occurred_at,
        sent_at=None if _has_true_clock(record, properties) else sent_at,
        context=_context(record, properties),
        given={name: value for name, value in rest.items() if not _is_added(name)},
        added=dict(_added(record, rest)),
        app_version=app_version_of(properties.get("$app_version")),
        record={name: value for name, value in record.items() if name != "sent_at"},
    )


def _occurred_at(record: Mapping[str, Any], sent_at: datetime) -> datetime | None:
    """When it happened: as said, or so many milliseconds (``offset``) before it was sent."""
    offset = record.get("offset")
    if record.get("timestamp") is None and isinstance(offset, int | float) and not isinstance(offset, bool):
        try:
            return sent_at - timedelta(milliseconds=offset)
        except (ValueError, OverflowError):
            return None
    return instant_of(record.get("timestamp"))


def _has_true_clock(record: Mapping[str, Any], properties: Mapping[str, Any]) -> bool:
    """Whether the client asks not to correct its time by when it was sent."""
    options = mapping_of(record.get("options"))
    return properties.get("$ignore_sent_at") is True or options.get("disable_skew_correction") is True


def _context(record: Mapping[str, Any], properties: Mapping[str, Any]) -> Context:
    return Context(
        user_id=text_of(record.get("distinct_id"))
        or text_of(properties.get("distinct_id"))
        or text_of(properties.get("$distinct_id")),
        session_id=text_of(record.get("session_id")) or text_of(properties.get("$session_id")),
        device_id=text_of(properties.get("$device_id")) or text_of(properties.get("$anon_distinct_id")),
        organization_id=_organization(record, properties),
        channel=identifier_of(properties.get("$lib")),
    )


def _organization(record: Mapping[str, Any], properties: Mapping[str, Any]) -> str | None:
    if record.get("event") == "$groupidentify":
        return text_of(properties.get("$group_key"))
    groups = mapping_of(properties.get("$groups"))
    if len(groups) == 1:
        return text_of(next(iter(groups.values())))
    return next((text_of(groups[name]) for name in ORGANIZATION_GROUPS if name in groups), None)


def _is_added(name: str) -> bool:
    return name.startswith("$") or name in ADDED_WITHOUT_SIGN or name in TAKEN


def _added(record: Mapping[str, Any], properties: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What the library put beside the app's own properties, and the properties of persons and groups.

    Those are one object each; in events that are about nothing else, they count one by one too.
    """
    for name in ("$set_once", "$set"):
        if record.get(name):
            yield name, record[name]
    if record.get("event") in ABOUT_SOMEBODY:
        for name in ("$set_once", "$set", "$group_set"):
            yield from mapping_of(record.get(name) or properties.get(name)).items()
    if record.get("window_id"):
        yield "$window_id", record["window_id"]
    yield from ((name, value) for name, value in properties.items() if _is_added(name) and name not in TAKEN)
