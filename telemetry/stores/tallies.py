"""Appending tallies: one statement for all rows of a batch."""

from collections.abc import Sequence
from typing import Final

from telemetry.models import EventTally
from telemetry.stores import arrays
from telemetry.stores.arrays import execute

__all__ = ["add_tallies"]

# ruff: noqa: S608 - the statement is made of constants of this module

_COUNTS: Final = ("received", "stored", "sampled_out", "disabled", "rejected", "duplicate", "violating", "skewed")
ADD: Final = f"""
INSERT INTO telemetry_eventtally (
    tenant_id, installation_id, name, version, minute, received_minute, last_received_at, detail, {", ".join(_COUNTS)}
)
SELECT * FROM unnest({", ".join(["%s"] * (8 + len(_COUNTS)))})
"""


def add_tallies(tallies: Sequence[EventTally]) -> None:
    """The rows are stored, under ids of their own; one statement."""
    if not tallies:
        return
    columns = [
        arrays.bigints([each.tenant_id for each in tallies]),
        arrays.bigints([each.installation_id for each in tallies]),
        arrays.texts([each.name for each in tallies]),
        arrays.integers([each.version for each in tallies]),
        arrays.instants([each.minute for each in tallies]),
        arrays.instants([each.received_minute for each in tallies]),
        arrays.instants([each.last_received_at for each in tallies]),
        arrays.bytea([None if each.detail is None else bytes(each.detail) for each in tallies]),
        *(arrays.integers([getattr(each, count) for each in tallies]) for count in _COUNTS),
    ]
    execute(ADD, columns)
