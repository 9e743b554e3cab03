"""Appending tallies: one statement for all rows of a batch."""

from collections.abc import Sequence
from typing import Final

from telemetry.models import EventTally
from telemetry.models.event_tally import COUNTS
from telemetry.stores import arrays
from telemetry.stores.arrays import execute

__all__ = ["add_tallies"]

# ruff: noqa: S608 - the statement is made of constants of this module

ADD: Final = f"""
INSERT INTO telemetry_eventtally (
    tenant_id, installation_id, name, version, minute, received_minute, last_received_at, detail, is_merged,
    {", ".join(COUNTS)}
)
SELECT * FROM unnest({", ".join(["%s"] * (9 + len(COUNTS)))})
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
        arrays.booleans([each.is_merged for each in tallies]),
        *(arrays.integers([getattr(each, count) for each in tallies]) for count in COUNTS),
    ]
    execute(ADD, columns)
