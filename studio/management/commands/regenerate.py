"""``manage.py regenerate``: what the Regenerator would propose, or proposes, now."""

from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from telemetry.services.regeneration.running import regenerate, take_requests

__all__ = ["Command"]


class Command(BaseCommand):
    """Runs the Regenerator once, as the schedule does."""

    help = "Files proposals from incidents, violations, findings, traffic, reads and lint; publishes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether anything is stored."""
        parser.add_argument("--dry-run", action="store_true", help="only say what would be filed; store nothing")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        """Says each suggestion and what came of it: new, more evidence, reopened, or quiet because it was decided."""
        if not dry_run:
            while take_requests():
                pass
        filed = regenerate(dry_run=dry_run)
        for each in filed:
            self.stdout.write(f"{each.kind.value:9} {each.spec} ({each.target}): {each.title} [{each.rule}]")
        counts = Counter(each.kind.value for each in filed)
        words = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) or "nothing to propose"
        self.stdout.write(f"{words}." + (" Nothing was stored." if dry_run else ""))
