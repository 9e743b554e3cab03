"""``manage.py reapply_erasures``: after a backup was restored."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from telemetry.core.errors import Unavailable
from telemetry.services.erasure.log import reapply_erasures

__all__ = ["Command"]


class Command(BaseCommand):
    """Everybody who was erased is erased again, by the log that lies beside the archive, and kept away."""

    help = "After a restore: erase again whom the log of erasures names. Workers do it; follow it on the page Erasure."

    def handle(self, *args: Any, **options: Any) -> None:
        """Says how many requests are carried out again; an error when the log cannot be read, or names lost tenants."""
        try:
            done = reapply_erasures(now=timezone.now())
        except Unavailable as error:
            raise CommandError(f"{error.message}: see STUDIO_ARCHIVE_DIR or STUDIO_ARCHIVE_S3_BUCKET.") from None
        self.stdout.write(f"{done.requests} erasure requests are carried out again.")
        if done.unknown:
            raise CommandError(f"{done.unknown} name a tenant that there is not: restore it first, and run this again.")
