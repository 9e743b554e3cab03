"""What somebody who watches an installation sees of its events: one line each, with every step on their way.

A line is made of what is stored and of names of rules; nothing that was hidden is in it. Lines are written after the
commit, and only while somebody watches; see ``telemetry.stores.live`` for where they go.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import transaction

from telemetry.core.config import EffectiveEvent, EffectiveProperty
from telemetry.core.enums import EventOutcome, EventSource, PrivacyLevel, RedactionStrategy, ViolationCode
from telemetry.core.events import Accepted, Decision, Dispatch, Dropped, Rejected, Violation
from telemetry.core.paths import key_path
from telemetry.core.pipeline import explain_sampling
from telemetry.services.event_use import note_use
from telemetry.services.ingest.processed import ProcessedBatch, ProcessedEvent
from telemetry.stores.base import EventWindow, StoredRow
from telemetry.stores.chosen import EVENT_STORE
from telemetry.stores.live import LiveStream, live_stream
from tenants.models import Installation

__all__ = ["LiveLine", "LiveRedaction", "LiveSampling", "lines_of", "publish_live", "read_line", "stored_lines"]

logger = logging.getLogger(__name__)

# Lines of one batch: a person cannot follow more, and a batch of a thousand must not push out all others.
MOST_LINES: Final = 100
# Bytes of one line; what is larger is shown without its values. Five hundred lines of this size are 4 MB of memory.
MOST_BYTES: Final = 8_192
MOST_VIOLATIONS: Final = 20
# How far back stored events are looked for, the nearest first: a busy installation answers from the first.
_SPANS: Final = (timedelta(seconds=15), timedelta(minutes=10), timedelta(days=1))
# Another machine's clock may be a little ahead.
_AHEAD: Final = timedelta(seconds=5)

_SUBJECTS: Final = {
    "context.userId": "user_id",
    "context.deviceId": "device_id",
    "context.sessionId": "session_id",
    "context.actor": "actor",
}
_IDENTIFIERS: Final = frozenset({"context.tenantId", "context.organizationId", "context.channel"})


class LiveSampling(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Why an event was kept or not: the rate (0-1) that held, the conditions, and whether they all did.

    ``by_tracker`` says that a tracker of ours decided before it sent the event; then no more than the rate is known,
    and of events that it did not keep not even that: ``rate`` is ``None``.
    """

    rate: float | None
    conditions: tuple[str, ...] = ()
    conditions_held: bool = True
    by_tracker: bool = False


class LiveRedaction(msgspec.Struct, frozen=True, rename="camel"):
    """What was hidden, by its path, and how, in a word."""

    path: str
    how: str


class LiveLine(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One event as it is shown.

    ``name`` is the contract's, ``None`` if none was found. ``is_skewed`` says that the client's clock was corrected.
    ``values`` are the stored properties and context, of stored events only; ``is_cut`` that they were too long.
    ``omitted`` counts events of the same batch that came before this one and are not shown.
    """

    outcome: EventOutcome
    received_at: datetime
    source: EventSource
    event_id: UUID | None = None
    name: str | None = None
    version: int | None = None
    privacy: PrivacyLevel | None = None
    app_version: str | None = None
    occurred_at: datetime | None = None
    is_skewed: bool = False
    sampling: LiveSampling | None = None
    redactions: tuple[LiveRedaction, ...] = ()
    violations: tuple[Violation, ...] = ()
    values: Mapping[str, Any] | None = None
    is_cut: bool = False
    config_revision: int | None = None
    omitted: int = 0


_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(LiveLine)


def publish_live(batch: ProcessedBatch) -> None:
    """Once the transaction has committed, whoever watches gets a line for each event, of large batches for the last.

    Never raises, and never waits longer than the stream's patience.
    """
    transaction.on_commit(partial(_publish, live_stream(), batch))


def read_line(line: bytes) -> LiveLine | None:
    """The line, or ``None`` for one of another version of this program."""
    try:
        return _decoder.decode(line)
    except msgspec.MsgspecError:
        return None


def stored_lines(
    installation: Installation, *, now: datetime, name: str | None = None, since: datetime | None = None, limit: int
) -> list[LiveLine]:
    """What was stored within a day, the newest first: all after ``since``, or else the last ``limit``; up to three
    queries.

    These lines say what is stored, and nothing about how it came to be so: nobody watched. Whoever asks without
    ``since`` counts as a reader of these events; one more query.
    """
    rows: list[StoredRow] = []
    for start in _starts(now, since):
        window = EventWindow(start, now + _AHEAD, name=name, limit=limit)
        rows = EVENT_STORE.read(installation.pk, window)
        if len(rows) == limit:
            break
    if since is None:
        note_use(installation, _oldest(rows, now), now=now)
    return list(map(_line_of_row, rows))


def _oldest(rows: Iterable[StoredRow], now: datetime) -> dict[tuple[str, int], timedelta]:
    """The age of the oldest event that was read, by name and version."""
    ages: dict[tuple[str, int], timedelta] = {}
    for row in rows:
        key = (row.name, row.version)
        ages[key] = max(ages.get(key, timedelta()), now - row.received_at)
    return ages


def lines_of(batch: ProcessedBatch) -> list[LiveLine]:
    """The lines of the batch's last events, in their order."""
    omitted = max(0, len(batch.events) - MOST_LINES)
    lines = [_line(batch, event) for event in batch.events[omitted:]]
    if omitted:
        lines[0] = msgspec.structs.replace(lines[0], omitted=omitted)
    return lines


def _publish(stream: LiveStream, batch: ProcessedBatch) -> None:
    installation = batch.installation.public_id
    try:
        if stream.is_watched(installation):
            stream.publish(installation, map(_encode, lines_of(batch)))
    except Exception as error:  # noqa: BLE001 - the batch is stored, and its sender must hear so
        # Without the error's message, which may quote an event.
        logger.error("live.failed", extra={"error": type(error).__qualname__})


def _encode(line: LiveLine) -> bytes:
    encoded = _encoder.encode(line)
    if len(encoded) <= MOST_BYTES:
        return encoded
    shortened = msgspec.structs.replace(
        line, values=None, is_cut=True, redactions=line.redactions[:MOST_VIOLATIONS], violations=line.violations[:1]
    )
    return _encoder.encode(shortened)


def _line(batch: ProcessedBatch, event: ProcessedEvent) -> LiveLine:
    incoming, outcome = event.incoming, event.outcome
    line = LiveLine(
        outcome=event.word,
        received_at=batch.received_at,
        source=incoming.source,
        event_id=event.event_id,
        app_version=incoming.app_version,
        occurred_at=event.occurred_at if event.event_id else None,
        is_skewed=event.is_skewed,
        violations=outcome.violations[:MOST_VIOLATIONS],
    )
    match outcome:
        case Rejected(name=name, version=version):
            return msgspec.structs.replace(line, name=name, version=version)
        case Dropped(name=name, version=version):
            known = {"name": name, "version": version, "config_revision": batch.config.revision}
        case Accepted(dispatch=dispatch):
            known = {
                "name": dispatch.name,
                "version": dispatch.version,
                "privacy": dispatch.privacy,
                "config_revision": dispatch.config_revision,
            }
            if event.word is EventOutcome.STORED:
                known |= {"redactions": tuple(_redactions(batch, outcome)), "values": _values(dispatch)}
    return msgspec.structs.replace(line, sampling=_sampling(batch, event), **known)


def _starts(now: datetime, since: datetime | None) -> list[datetime]:
    """Where to begin to look, the nearest first."""
    if since is not None:
        return [max(since + timedelta(microseconds=1), now - _SPANS[-1])]
    return [now - span for span in _SPANS]


def _line_of_row(row: StoredRow) -> LiveLine:
    return LiveLine(
        outcome=EventOutcome.STORED,
        received_at=row.received_at,
        source=EventSource(row.source),
        event_id=row.id,
        name=row.name,
        version=row.version,
        privacy=PrivacyLevel(row.privacy),
        app_version=row.app_version,
        occurred_at=row.occurred_at,
        sampling=LiveSampling(rate=row.inclusion_probability),
        values={"properties": row.properties, "context": row.context},
        config_revision=row.config_revision,
    )


def _values(dispatch: Dispatch) -> dict[str, Any]:
    return {"properties": dispatch.properties, "context": dispatch.context}


def _sampling(batch: ProcessedBatch, event: ProcessedEvent) -> LiveSampling | None:
    """Why the event was kept or not; ``None`` for what was not asked."""
    if event.word not in (EventOutcome.STORED, EventOutcome.SAMPLED_OUT):
        return None
    if event.incoming.report is not None:
        kept = event.outcome.dispatch.inclusion_probability if isinstance(event.outcome, Accepted) else None
        return LiveSampling(rate=kept, by_tracker=True)
    decision = _decision(batch, event)
    effective = _effective(batch, event)
    if decision is None or effective is None:
        return None
    return LiveSampling(
        rate=decision.inclusion_probability,
        conditions=effective.sampling.conditions,
        conditions_held=decision.reason == "event_rate",
    )


def _decision(batch: ProcessedBatch, event: ProcessedEvent) -> Decision | None:
    """The decision once more: outcomes do not carry it, and it is always the same."""
    envelope, config = event.incoming.envelope, batch.config.compiled
    if envelope is None or config is None:
        return None
    return explain_sampling(msgspec.structs.replace(envelope, id=str(event.event_id)), config)


def _effective(batch: ProcessedBatch, event: ProcessedEvent) -> EffectiveEvent | None:
    match event.outcome:
        case Accepted(dispatch=dispatch):
            name, version = dispatch.name, dispatch.version
        case Dropped(name=name, version=version):
            pass
        case _:
            return None
    rules = batch.config.events.get((name, version))
    return None if rules is None else rules.effective


def _redactions(batch: ProcessedBatch, accepted: Accepted) -> Iterator[LiveRedaction]:
    """How each hidden value was hidden: by its rule, as a pseudonym, or because nobody declared it."""
    dispatch, config = accepted.dispatch, batch.config.effective
    strategies: dict[str, str] = {}
    if config is not None:
        rules = batch.config.events[dispatch.name, dispatch.version].effective.properties
        strategies = _strategies("context.metadata", config.context_properties) | _strategies("properties", rules)
    codes = {violation.path: violation.code for violation in accepted.violations}
    kept = _paths(dispatch)
    for path in accepted.redacted:
        yield LiveRedaction(path, _how(path, strategies, codes, kept))


def _strategies(place: str, rules: Mapping[str, EffectiveProperty]) -> dict[str, str]:
    """The strategy by path; without one of its own, a value that is hidden is masked for its level."""
    return {
        key_path(place, name): RedactionStrategy.MASK if rule.redaction is None else rule.redaction.strategy
        for name, rule in rules.items()
    }


def _paths(dispatch: Dispatch) -> set[str]:
    """The paths of the values that are in the dispatch."""
    properties = {key_path("properties", name) for name in dispatch.properties}
    metadata = {key_path("context.metadata", name) for name in dispatch.context.metadata}
    subjects = {path for path, field in _SUBJECTS.items() if getattr(dispatch.context, field) is not None}
    return properties | metadata | subjects


def _how(path: str, strategies: Mapping[str, str], codes: Mapping[str, ViolationCode], kept: set[str]) -> str:
    if path in _SUBJECTS:
        return "pseudonym" if path in kept else "left out"
    if codes.get(path) is ViolationCode.DETECTED_PERSONAL_DATA:
        return "mask, as it reads like personal data"
    if path in strategies:
        return strategies[path]
    if path in _IDENTIFIERS:
        return "left out, as it does not read like an identifier"
    return "mask, as it is not declared" if path in kept else "left out, as it is not declared"
