"""Names of archived files: made of ids alone, so that no name of a customer or event can lead anywhere else."""

from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

__all__ = ["UNFINISHED", "FileKeys", "keys_of"]

# What is being written lies here; whoever lists an archive passes it over.
UNFINISHED: Final = "unfinished"


class FileKeys(NamedTuple):
    """Where a file lies, its manifest, and the file while it is being written."""

    file: str
    manifest: str
    unfinished: str


def keys_of(file_id: UUID, *, tenant_id: int, installation: UUID, retention_class: int, starts_on: date) -> FileKeys:
    """The keys of one file: all that a tenant has lies under one prefix, then by installation, class and day."""
    place = f"events/{int(tenant_id)}/{installation.hex}/{int(retention_class)}/{starts_on.isoformat()}"
    return FileKeys(
        file=f"{place}/{file_id.hex}.parquet",
        manifest=f"{place}/{file_id.hex}.json",
        unfinished=f"{UNFINISHED}/{file_id.hex}.parquet",
    )
