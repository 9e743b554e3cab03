"""Django's ``flush``, run as the role that owns the tables."""

from django.core.management.commands.flush import Command as DjangoFlush

from studio.management.database_owner import RunAsDatabaseOwner


class Command(RunAsDatabaseOwner, DjangoFlush):
    """Empties all tables as the login role: the application role may not truncate."""
