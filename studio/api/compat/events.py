"""What all clients' events have in common, and how they become ours."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID, uuid4

import msgspec

from studio.api.compat.plan import event_name, place
from telemetry.core.compiled import CompiledConfig
from telemetry.core.enums import EventSource, ViolationCode
from telemetry.core.event_ids import kept_id
from telemetry.core.events import Context, Envelope, Violation
from telemetry.core.intake import is_identifier
from telemetry.core.values import EMPTY_MAPPING
from telemetry.services.ingest.incoming import Incoming

__all__ = ["VERSION_KEYS", "ClientEvent", "EventIds", "Mapper", "problem", "take_version"]

# How an app says which version of an event it sends; without it, the latest.
VERSION_KEYS: Final = ("telemetry_event_version", "$telemetry_event_version")


class ClientEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event as a client sent it, taken apart. Not redacted: never log it.

    ``given`` is what the app itself said, ``added`` what the client's library put beside it. ``id`` is the client's
    own. ``record`` is what the client sent, without what changes when it is sent again; it stands in for a missing id.
    """

    name: object
    version: object = None
    id: str | None = None
    occurred_at: datetime | None = None
    sent_at: datetime | None = None
    context: Context = Context()
    given: Mapping[str, Any] = EMPTY_MAPPING
    added: Mapping[str, Any] = EMPTY_MAPPING
    app_version: str | None = None
    record: object = None
    problem: Violation | None = None

    def __repr__(self) -> str:
        return "ClientEvent()"


def problem(path: str, message: str) -> ClientEvent:
    """An event that cannot be read at all, for this reason; the message holds no value."""
    return ClientEvent(name=None, problem=Violation(ViolationCode.WRONG_TYPE, path, message))


def take_version(values: Mapping[str, Any]) -> tuple[object, dict[str, Any]]:
    """The version that the app names among its values, and the other values. JavaScript's ``2.0`` is 2."""
    rest = {name: value for name, value in values.items() if name not in VERSION_KEYS}
    found = next((values[key] for key in VERSION_KEYS if values.get(key) is not None), None)
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < 10:
        found = int(found)
    return found, rest


class EventIds:
    """Ids for events whose client gave none, or one that we cannot keep; one object per request.

    The same record, sent again, gets the same id, so that a retry is stored once. Ids are keyed: from the id alone,
    nobody can find out by trying what was in the record.
    """

    def __init__(self, secret: bytes, new: Callable[[], UUID] = uuid4) -> None:
        self._secret = secret
        self._new = new
        self._seen: Counter[bytes] = Counter()

    def id_of(self, event: ClientEvent) -> str:
        """The event's id, as an identifier.

        A record without id and without time may be sent twice in earnest, so each one is new. Records that are equal
        in all are told apart by their order in the request. Raises ``RecursionError`` for what is nested too deeply.
        """
        if event.id is not None and is_identifier(event.id):
            return event.id
        if event.id is not None:
            return self._derived("id", event.id.encode("utf-8", "surrogatepass"))
        if event.occurred_at is None:
            return str(self._new())
        record = event.record if isinstance(event.record, bytes) else json.dumps(event.record, sort_keys=True).encode()
        self._seen[record] += 1
        return self._derived(f"record {self._seen[record]}", record)

    def _derived(self, kind: str, content: bytes) -> str:
        return str(kept_id(f"{kind} {hashlib.sha256(content).hexdigest()}", self._secret))


class Mapper:
    """Turns clients' events into ours under one config; ``left_out`` counts what libraries added without a place.

    ``config`` is ``None`` while no spec is published: then nothing has a place.
    """

    def __init__(
        self, config: CompiledConfig | None, ids: EventIds, source: EventSource, received_at: datetime
    ) -> None:
        self._config = config
        self._ids = ids
        self._source = source
        self._received_at = received_at
        self.left_out = 0

    def map(self, event: ClientEvent) -> Incoming:
        """The event as the pipeline takes it; without a time of its own it happened when it was received."""
        if event.problem is not None:
            return self._incoming(event, None, event.problem)
        if not isinstance(event.name, str) or not event.name:
            missing = Violation(ViolationCode.MISSING_REQUIRED, "name", "is required, and must be text")
            return self._incoming(event, None, missing)
        name, version = event.name, cast("int | None", event.version)  # the core tells what is no version
        rules = None
        if self._config is not None:
            name = event_name(name, self._config)
            rules = self._config.find(name, version if type(version) is int else None)
        placed = place(event.given, event.added, rules)
        self.left_out += placed.left_out
        try:
            event_id = self._ids.id_of(event)
        except RecursionError:
            return self._incoming(event, None, Violation(ViolationCode.UNSAFE_VALUE, "", "is nested too deeply"))
        envelope = Envelope(
            id=event_id,
            name=name,
            version=version,
            occurred_at=event.occurred_at or self._received_at,
            properties=placed.properties,
            context=msgspec.structs.replace(event.context, metadata=placed.metadata or EMPTY_MAPPING),
        )
        return self._incoming(event, envelope, None)

    def _incoming(self, event: ClientEvent, envelope: Envelope | None, violation: Violation | None) -> Incoming:
        return Incoming(
            envelope=envelope,
            problem=violation,
            app_version=event.app_version,
            sent_at=event.sent_at if event.occurred_at is not None else None,
            source=self._source,
        )
