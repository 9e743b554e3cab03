"""Keeping a few of the events that come in, for hours, so that changes can be tried on them."""

import time
from datetime import timedelta
from functools import lru_cache
from typing import Final

import msgspec
from django.conf import settings
from django.utils import timezone

from telemetry.core.enums import EventOutcome
from telemetry.core.events import Envelope
from telemetry.core.rehearsal import harmless_envelope
from telemetry.detection.inspector import is_safe_name
from telemetry.models import SampledEvent
from telemetry.services.ingest.processed import ProcessedBatch, ProcessedEvent
from tenants.context import ALL, tenant_context
from tenants.sealing import BrokenSeal, Sealer

__all__ = ["forget_samples", "open_sample", "take_samples"]

# An event of each kind in so many seconds: a day has some hundreds, however many come.
INTERVAL_SECONDS: Final = 120.0
LARGEST_BYTES: Final = 16_384
# What one statement deletes in well under a second.
PORTION: Final = 5_000
# Kinds that one process remembers; then it starts anew, and takes one of each again.
MOST_KINDS: Final = 50_000

Kind = tuple[int, str, int, EventOutcome]

_next_at: dict[Kind, float] = {}
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Envelope).decode


def take_samples(batch: ProcessedBatch) -> None:
    """One event of each kind (event, version, outcome) is kept for ``STUDIO_SAMPLE_HOURS``, at most every two minutes.

    Without what its rules hide, without ids of people, and sealed under ``STUDIO_QUARANTINE_KEYS``; nothing is kept
    without such a secret or with 0 hours. One query, mostly none.
    """
    hours = settings.STUDIO_SAMPLE_HOURS
    if not hours or not settings.STUDIO_QUARANTINE_KEYS:
        return
    now, chosen = time.monotonic(), dict[Kind, ProcessedEvent]()
    for event in batch.events:
        kind = _kind_of(batch.installation.pk, event)
        if kind is not None and kind not in chosen and now >= _next_at.get(kind, 0.0):
            chosen[kind] = event
    if not chosen:
        return
    if len(_next_at) > MOST_KINDS:
        _next_at.clear()
    _next_at.update(dict.fromkeys(chosen, now + INTERVAL_SECONDS))
    expires_at = batch.received_at + timedelta(hours=hours)
    rows = [_row(batch, kind, event) for kind, event in chosen.items()]
    SampledEvent.objects.bulk_create(
        SampledEvent(
            tenant_id=batch.installation.tenant_id,
            installation_id=batch.installation.pk,
            event_name=name,
            event_version=version,
            outcome=outcome.value,
            sealed=sealed,
            received_at=batch.received_at,
            expires_at=expires_at,
        )
        for (_, name, version, outcome), sealed in rows
        if len(sealed) <= LARGEST_BYTES
    )


def open_sample(tenant_id: int, sealed: bytes) -> Envelope | None:
    """The event; ``None`` when it cannot be opened: its secret is gone, or it is another tenant's."""
    try:
        return _decode(_sealer(tuple(settings.STUDIO_QUARANTINE_KEYS)).open(tenant_id, sealed))
    except (BrokenSeal, ValueError):
        return None


def forget_samples() -> int:
    """Events past their hours are gone; how many. Running it twice changes nothing more."""
    gone = 0
    while (portion := _forget_portion()) == PORTION:
        gone += portion
    return gone + portion


def _forget_portion() -> int:
    with tenant_context(ALL):
        expired = SampledEvent.objects.filter(expires_at__lte=timezone.now()).order_by("id").values("pk")[:PORTION]
        count, _ = SampledEvent.objects.filter(pk__in=expired).delete()
    return count


def _kind_of(installation_id: int, event: ProcessedEvent) -> Kind | None:
    """``None`` for duplicates, which say nothing new, for what cannot be read, and for what a tracker has redacted."""
    incoming, outcome = event.incoming, event.outcome
    if event.word is EventOutcome.DUPLICATE or incoming.envelope is None or incoming.report is not None:
        return None
    if outcome.name is not None and outcome.version is not None:
        return installation_id, outcome.name, outcome.version, event.word
    name = incoming.envelope.name
    return (installation_id, name, 0, event.word) if is_safe_name(name) else None


def _row(batch: ProcessedBatch, kind: Kind, event: ProcessedEvent) -> tuple[Kind, bytes]:
    envelope, compiled = event.incoming.envelope, batch.config.compiled
    assert envelope is not None  # noqa: S101 - kinds are of events that can be read
    rules = None if compiled is None else compiled.find(kind[1], kind[2] or None)
    harmless = harmless_envelope(envelope, rules, is_safe_name)
    return kind, _sealer(tuple(settings.STUDIO_QUARANTINE_KEYS)).seal(batch.installation.tenant_id, _encode(harmless))


@lru_cache(maxsize=4)
def _sealer(secrets: tuple[str, ...]) -> Sealer:
    return Sealer(secrets, purpose="sample")
