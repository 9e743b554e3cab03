"""What travels: an envelope comes in, an outcome comes out, a dispatch goes on."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from telemetry.core.enums import DropReason, PrivacyLevel, ViolationCode
from telemetry.core.values import EMPTY_MAPPING

__all__ = [
    "Accepted",
    "Context",
    "Decision",
    "Dispatch",
    "Dropped",
    "Envelope",
    "Outcome",
    "PseudonymKey",
    "Rejected",
    "Violation",
    "Written",
]


# 128 bits, the strength of the pseudonyms themselves: a shorter secret could be found by trying.
_SHORTEST_SECRET = 16


class Context(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Around an event: who, where, through what.

    ``user_id``, ``session_id``, ``device_id`` and ``actor`` identify people: they leave the core only as keyed
    pseudonyms. ``metadata`` keys must be declared by the spec's ``contextProperties``.
    """

    tenant_id: str | None = None
    organization_id: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    device_id: str | None = None
    actor: str | None = None
    channel: str | None = None
    metadata: Mapping[str, Any] = EMPTY_MAPPING


class Envelope(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An event as a client sends it; ``version`` unset means the latest; ``occurred_at`` carries a zone."""

    id: str
    name: str
    version: int | None = None
    occurred_at: datetime
    properties: Mapping[str, Any] = EMPTY_MAPPING
    context: Context = Context()


class PseudonymKey(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A tenant's key for pseudonyms (HMAC-SHA-256). ``epoch`` counts its renewals and is written into each pseudonym.

    ``secret`` is at least 16 bytes, else ``ValueError``; in documents it is base64 text. It never shows in a ``repr``.
    """

    epoch: int
    secret: bytes

    def __post_init__(self) -> None:
        if len(self.secret) < _SHORTEST_SECRET:
            raise ValueError(f"the secret of a pseudonym key needs at least {_SHORTEST_SECRET} bytes")

    def __repr__(self) -> str:
        return f"PseudonymKey(epoch={self.epoch})"


class Decision(msgspec.Struct, frozen=True):
    """Whether sampling keeps an event, the reason in a word, and the probability with which it was kept (0-1).

    ``reason`` is ``event_rate`` when all conditions held, else ``otherwise_rate``.
    """

    keep: bool
    reason: Literal["event_rate", "otherwise_rate"]
    inclusion_probability: float


class Violation(msgspec.Struct, frozen=True, rename="camel"):
    """One way in which an event is not as planned. Never carries a value that the event carried."""

    code: ViolationCode
    path: str
    message: str


class Dispatch(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A redacted event on its way to providers or the store; safe to log, store and send."""

    id: str
    name: str
    version: int
    occurred_at: datetime
    properties: Mapping[str, Any]
    privacy: PrivacyLevel
    context: Context
    tags: tuple[str, ...]
    inclusion_probability: float
    config_revision: int


class Accepted(msgspec.Struct, frozen=True):
    """The event is kept; all is decided, and nothing in here is raw but ``metrics``.

    A ``Written`` outcome holds its dispatch; an ``Unwritten`` one writes it when it is first asked for. ``name`` and
    ``version`` are those of the contract, and can be had without it.
    """

    @property
    def name(self) -> str:
        """The name of the event."""
        raise NotImplementedError

    @property
    def version(self) -> int:
        """The version of the event."""
        raise NotImplementedError

    @property
    def dispatch(self) -> Dispatch:
        """The redacted event, the same object each time."""
        raise NotImplementedError

    @property
    def metrics(self) -> Mapping[str, float]:
        """Its numeric properties before redaction."""
        raise NotImplementedError

    @property
    def violations(self) -> tuple[Violation, ...]:
        """What is not as planned and did not forbid it."""
        raise NotImplementedError

    @property
    def redacted(self) -> tuple[str, ...]:
        """The paths, sorted, of the properties and context fields whose value was hidden or left out."""
        raise NotImplementedError

    def __bool__(self) -> bool:
        return True


class Written(Accepted, frozen=True, kw_only=True):
    """An event that is kept, with its dispatch."""

    dispatch: Dispatch
    metrics: Mapping[str, float]
    violations: tuple[Violation, ...] = ()
    redacted: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the event."""
        return self.dispatch.name

    @property
    def version(self) -> int:
        """The version of the event."""
        return self.dispatch.version


class Dropped(msgspec.Struct, frozen=True, kw_only=True):
    """The event is valid but not kept; its ``metrics`` count all the same."""

    name: str
    version: int
    reason: DropReason
    metrics: Mapping[str, float]
    violations: tuple[Violation, ...] = ()

    def __bool__(self) -> bool:
        return False


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """The event breaks its contract; ``violations`` says how, without any value.

    ``name`` and ``version`` are those of the contract; ``None`` when it was not even found.
    """

    violations: tuple[Violation, ...]
    name: str | None = None
    version: int | None = None

    def __bool__(self) -> bool:
        return False


# The answer for one envelope; true only when the event is kept.
Outcome = Accepted | Dropped | Rejected
