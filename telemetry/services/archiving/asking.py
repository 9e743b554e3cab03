"""Questions about a tenant's archived events."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from telemetry.models import ArchiveFile
from telemetry.selectors.archives import ArchiveFilter, readable_files
from telemetry.services.archiving.files import fetch_verified
from telemetry.stores.archive.querying import Answer, ask
from telemetry.stores.archive.storing import workspace
from tenants.actors import Actor, require
from tenants.context import tenant_context
from tenants.models import Tenant

__all__ = ["ask_archive", "chosen_files"]


def chosen_files(tenant: Tenant, wanted: ArchiveFilter) -> Sequence[ArchiveFile]:
    """The tenant's files that hold events and fit the filter, oldest first, with installation and tenant; one query."""
    with tenant_context((tenant.pk,)):
        return list(readable_files(wanted._replace(tenant_id=tenant.pk)))


@contextmanager
def ask_archive(*, actor: Actor, tenant: Tenant, wanted: ArchiveFilter, question: str) -> Iterator[Answer]:
    """The answer of one ``SELECT`` over ``events``: those of this tenant's files that fit the filter, and no others.

    Copies of the files are on this machine meanwhile, each with the checksum that it was written with. A question can
    read nothing else, and write nothing. Needs ``archive.restore`` in the tenant. Raises ``InvalidDocument`` for what
    is not one ``SELECT``, and ``ArchiveFailed`` for a file that is not what was written.
    """
    require(actor, "archive.restore", tenant.pk)
    files = chosen_files(tenant, wanted)
    with workspace() as directory:
        copies = [directory / f"{file.public_id.hex}.parquet" for file in files]
        for file, copy in zip(files, copies, strict=True):
            fetch_verified(file, file.installation, copy)
        with ask(copies, question, spill=directory) as answer:
            yield answer
