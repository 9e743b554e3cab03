"""``manage.py reseal_credentials``: after a new key was put in front of ``STUDIO_CREDENTIAL_KEYS``."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from telemetry.services.alerts.destinations import reseal_destinations
from telemetry.services.credentials import reseal_credentials

__all__ = ["Command"]


class Command(BaseCommand):
    """Seals what is kept of providers and alert channels under the newest key, so that older ones can be taken away."""

    help = "Seal credentials of providers and addresses of alert channels under the first of STUDIO_CREDENTIAL_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        """Says how many were sealed; an error if some cannot be opened any more."""
        renewed, broken = map(sum, zip(reseal_credentials(), reseal_destinations(), strict=True))
        self.stdout.write(f"{renewed} sealed under the newest key.")
        if broken:
            raise CommandError(f"{broken} cannot be opened with the present keys and have to be entered anew.")
