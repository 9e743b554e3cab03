"""What is inside a held event, and how it is sealed."""

from functools import lru_cache

import msgspec
from django.conf import settings

from telemetry.core.events import Envelope
from tenants.sealing import BrokenSeal, Sealer

__all__ = ["is_set_up", "open_envelope", "seal_envelope"]

_PURPOSE = "quarantine"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Envelope).decode


def is_set_up() -> bool:
    """Whether there is a secret under which events can be held."""
    return bool(settings.STUDIO_QUARANTINE_KEYS)


def seal_envelope(tenant_id: int, envelope: Envelope) -> bytes:
    """The envelope, whole and readable by this studio alone."""
    return _sealer().seal(tenant_id, _encode(envelope))


def open_envelope(tenant_id: int, sealed: bytes) -> Envelope | None:
    """The envelope; ``None`` when it cannot be opened: its secret is gone, or it is another tenant's."""
    try:
        return _decode(_sealer().open(tenant_id, sealed))
    except BrokenSeal:
        return None


def _sealer() -> Sealer:
    return _sealer_of(tuple(settings.STUDIO_QUARANTINE_KEYS))


@lru_cache(maxsize=4)
def _sealer_of(secrets: tuple[str, ...]) -> Sealer:
    return Sealer(secrets, purpose=_PURPOSE)
