"""``manage.py reseal_credentials``: after a new key was put in front of ``STUDIO_CREDENTIAL_KEYS``."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from telemetry.services.credentials import reseal_credentials

__all__ = ["Command"]


class Command(BaseCommand):
    """Seals every credential of a provider under the newest key, so that the older ones can be taken away."""

    help = "Seal every credential of a provider under the first of STUDIO_CREDENTIAL_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        """Says how many were sealed; an error if some cannot be opened any more."""
        renewed, broken = reseal_credentials()
        self.stdout.write(f"{renewed} sealed under the newest key.")
        if broken:
            raise CommandError(f"{broken} cannot be opened with the present keys and have to be entered anew.")
