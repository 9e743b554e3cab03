"""Commands that change tables run as the login role, which owns them, and not as the application role."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandError
from django.db import OperationalError, connections

__all__ = ["RunAsDatabaseOwner", "as_database_owner"]


@contextmanager
def as_database_owner(alias: str) -> Iterator[None]:
    """Within the block this thread's connection ``alias`` is the login role and does not assume the application role.

    The connection is closed before and after, so it must not be inside a transaction.
    """
    connection = connections[alias]
    original = connection.settings_dict
    options = {key: value for key, value in original["OPTIONS"].items() if key != "assume_role"}
    connection.close()
    # Replaced, not changed: the dictionary is shared by the connections of all threads.
    connection.settings_dict = {**original, "OPTIONS": options}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = original


class RunAsDatabaseOwner:
    """Mixin before one of Django's commands that take ``--database``: it runs as the owner of the tables."""

    def execute(self, *args: Any, **options: Any) -> Any:
        """The command, with its checks, has run as the login role; later connections are the application role again.

        Raises ``CommandError`` if the database cannot be reached.
        """
        try:
            with as_database_owner(options["database"]):
                return super().execute(*args, **options)  # type: ignore[misc]  # the mixin's partner has it
        except OperationalError as error:
            raise CommandError(f"The database failed or cannot be reached: {error}") from error
