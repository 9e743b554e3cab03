"""Django's ``migrate``, run as the role that owns the tables, and the partitions that the next days need."""

from typing import Any

from django.core.management.commands.migrate import Command as DjangoMigrate
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder

from studio.management.database_owner import RunAsDatabaseOwner
from telemetry.services.partitions import ensure_partitions

# The migration that can make partitions; before it, and after it was undone, there is nothing to make them of.
EVENT_STORE = ("telemetry", "0006_event_store")


class Command(RunAsDatabaseOwner, DjangoMigrate):
    """Applies migrations as the login role: the application role owns nothing and may not."""

    def handle(self, *args: Any, **options: Any) -> None:
        """The tables are as the migrations say, and the event store has places for the next two weeks."""
        super().handle(*args, **options)
        recorder = MigrationRecorder(connections[options["database"]])
        if options["plan"] or options["check_unapplied"] or EVENT_STORE not in recorder.applied_migrations():
            return
        added = ensure_partitions()
        if added and options["verbosity"] >= 1:
            self.stdout.write(f"  Added {added} partitions of the event store")
