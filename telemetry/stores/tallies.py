"""Appending tallies: one statement for all rows of a batch."""

from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from typing import Final, NamedTuple

from telemetry.models.event_tally import TallyCounts
from telemetry.stores import arrays
from telemetry.stores.arrays import execute

__all__ = ["TallyRow", "add_tallies"]

# ruff: noqa: S608 - the statement is made of constants of this module


class TallyRow(NamedTuple):
    """A row of ``EventTally`` without its id; quicker to make than the model."""

    tenant_id: int
    installation_id: int
    name: str
    version: int
    minute: datetime
    received_minute: datetime
    last_received_at: datetime
    is_merged: bool
    detail: bytes | None
    counts: TallyCounts


_COLUMNS: Final = TallyRow._fields[:-1]
_COUNTS: Final = TallyCounts._fields
# The counts of all rows come in one array: each array costs something, however short it is.
_COUNTED: Final = [f"(%(counts)s)[{len(_COUNTS)} * (place - 1) + {number}]" for number in range(1, len(_COUNTS) + 1)]
ADD: Final = f"""
INSERT INTO telemetry_eventtally ({", ".join((*_COLUMNS, *_COUNTS))})
SELECT {", ".join((*_COLUMNS, *_COUNTED))}
FROM unnest({", ".join(f"%({column})s" for column in _COLUMNS)}) WITH ORDINALITY AS row ({", ".join(_COLUMNS)}, place)
"""


def add_tallies(rows: Sequence[TallyRow]) -> None:
    """The rows are stored, under ids of their own; one statement."""
    if not rows:
        return
    parameters = {
        "tenant_id": arrays.bigints([row.tenant_id for row in rows]),
        "installation_id": arrays.bigints([row.installation_id for row in rows]),
        "name": arrays.texts([row.name for row in rows]),
        "version": arrays.integers([row.version for row in rows]),
        "minute": arrays.instants([row.minute for row in rows]),
        "received_minute": arrays.instants([row.received_minute for row in rows]),
        "last_received_at": arrays.instants([row.last_received_at for row in rows]),
        "is_merged": arrays.booleans([row.is_merged for row in rows]),
        "detail": arrays.bytea([row.detail for row in rows]),
        "counts": arrays.integers(list(chain.from_iterable(row.counts for row in rows))),
    }
    execute(ADD, parameters)
