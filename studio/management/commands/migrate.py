"""Django's ``migrate``, run as the role that owns the tables."""

from django.core.management.commands.migrate import Command as DjangoMigrate

from studio.management.database_owner import RunAsDatabaseOwner


class Command(RunAsDatabaseOwner, DjangoMigrate):
    """Applies migrations as the login role: the application role owns nothing and may not."""
