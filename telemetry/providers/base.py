"""What every client of a place outside has in common."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol
from uuid import UUID

import msgspec

from telemetry.core.events import Dispatch
from telemetry.providers.outgoing.session import GuardedSession

__all__ = ["Connection", "Delivery", "Origin", "ProviderClient", "RefusedEvents", "Settings"]


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Base of the settings of a kind, without its credential."""


class Origin(NamedTuple):
    """Whose events they are, in the words of addresses."""

    tenant: str
    app: str
    environment: str


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """What a client needs to know of the other end; the credential never shows in a ``repr``."""

    settings: Any
    credential: str
    origin: Origin

    def __repr__(self) -> str:
        return f"Connection(origin={self.origin!r})"


class Delivery(NamedTuple):
    """One event for one provider.

    ``id`` is the same each time this event is sent to this provider, so that it can tell what it had before. ``hidden``
    are the paths of what the rules hide in such events.
    """

    id: UUID
    dispatch: Dispatch
    hidden: tuple[str, ...]


class RefusedEvents(Exception):
    """The other end will not take these events, whenever they are sent; ``reason`` is a word of ours."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ProviderClient(Protocol):
    """Hands events over to one kind of place, now, and says how that went by what it raises."""

    settings_type: ClassVar[type[Settings]]
    # Whether it can do nothing without a credential, and what that is called where it comes from.
    needs_credential: ClassVar[bool]
    credential_label: ClassVar[str]
    # What goes into one call.
    most_events: ClassVar[int]

    def address_of(self, settings: Any) -> tuple[str, str]:
        """The name of the setting that says where events go, and the address that is called."""

    def send(self, connection: Connection, deliveries: Sequence[Delivery], session: GuardedSession) -> None:
        """The other end has the events.

        Raises ``Answered``, ``Unreachable`` or ``BlockedAddress`` as the session does, and ``RefusedEvents``.
        """


def without_none(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that say something."""
    return {name: value for name, value in fields.items() if value is not None}
