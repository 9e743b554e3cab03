"""Who archives what is due and must not be lost: called before anything is deleted, in the deletion's transaction."""

from collections.abc import Sequence
from typing import Final, Protocol

from telemetry.models import PurgeRun
from telemetry.stores.due import DueGroup

__all__ = ["ARCHIVER", "Archiver"]


class Archiver(Protocol):
    """Puts events into an archive."""

    def __call__(self, *, run: PurgeRun, groups: Sequence[DueGroup]) -> int:
        """The rows of these groups (of one tenant, in one partition) that are due and not held are archived.

        Written, read back and verified on return; how many there were. ``telemetry.stores.due.read_due`` gives the
        rows. Nothing else removes or changes events meanwhile. Whatever it raises stops the step, and nothing is
        deleted; so does another number of rows than what is deleted then.
        """


# ``None``: what is to be archived stays where it is, and each run says how much that is.
ARCHIVER: Final[Archiver | None] = None
