"""How far a pass over all places has come."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

__all__ = ["Position"]


class Position(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where to go on: after an event of a name in the store, a file of the archive, a row of the quarantine.

    ``place`` is ``store``, ``archive``, ``quarantine`` or, at the end, ``end``. ``name`` is the last one that is done,
    unless ``received_at`` says how far it is.
    """

    place: str = "store"
    name: str = ""
    received_at: datetime | None = None
    last_id: UUID | None = None
    row: int = 0

    def as_document(self) -> dict[str, Any]:
        """The position in JSON."""
        document: dict[str, Any] = msgspec.to_builtins(self)
        return document

    @classmethod
    def read(cls, document: dict[str, Any]) -> "Position":
        """The position that was written."""
        return msgspec.convert(document, cls)
