"""Something to look at in the archive of the demo workspace."""

import logging
from datetime import UTC, timedelta

from telemetry.core.errors import ArchiveFailed
from telemetry.core.retention import RetentionClass
from telemetry.models import StoredEvent
from telemetry.services.archiving.writing import archive_next
from telemetry.stores.base import RowSelection
from telemetry.stores.due import midnight
from telemetry.stores.partitions import SPANS
from tenants.context import tenant_context
from tenants.models import Installation

__all__ = ["archive_oldest_day"]

logger = logging.getLogger(__name__)


def archive_oldest_day(installation: Installation) -> int:
    """The events of the installation's first day are in the archive, before their time; how many.

    Outside any transaction. A demo without an archive is a demo too: a storage that fails leaves them where they are.
    """
    with tenant_context((installation.tenant_id,)):
        oldest = StoredEvent.with_expired.filter(installation=installation).order_by("received_at").first()
    if oldest is None:
        return 0
    day = oldest.received_at.astimezone(UTC).date()
    selection = RowSelection(
        installation_id=installation.pk,
        retention_class=oldest.retention_class,
        start=midnight(day),
        end=midnight(day) + timedelta(days=1),
    )
    starts_on = SPANS[RetentionClass(oldest.retention_class)].start_of(day)
    try:
        return archive_next(
            installation=installation,
            selection=selection,
            starts_on=starts_on,
            run="demo",
            settled=lambda _removed: None,
        )
    except ArchiveFailed as error:
        logger.warning("demo.not_archived", extra={"error": error.message})
        return 0
