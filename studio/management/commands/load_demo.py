"""``manage.py load_demo``: something to look at in an empty studio."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from telemetry.core.errors import TelemetryError
from telemetry.services.demo.workspace import load_demo

SPEC = Path("examples") / "sigil.telemetry.yaml"


class Command(BaseCommand):
    """Prints what it did, and never a secret."""

    help = "Loads the demo workspace (the Sigil spec, two tenants, people, API keys) into an empty studio."

    def add_arguments(self, parser: CommandParser) -> None:
        """One option, which has no default: secrets go where somebody chose."""
        parser.add_argument("--credentials-file", type=Path, required=True, help="where passwords and keys are written")

    def handle(self, *args: Any, credentials_file: Path, **options: Any) -> None:
        """The studio is in use; if it was not before, with the demo workspace."""
        try:
            document = (settings.BASE_DIR / SPEC).read_bytes()
            is_loaded = load_demo(spec_document=document, credentials_file=credentials_file)
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from None
        except TelemetryError as error:
            raise CommandError(f"The demo workspace does not fit this studio: {error.message}") from None
        if is_loaded:
            self.stdout.write(f"The demo workspace is loaded. Passwords and API keys are in {credentials_file}.")
        else:
            self.stdout.write("This studio is in use already; nothing was loaded.")
