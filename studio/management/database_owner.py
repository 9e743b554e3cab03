"""Commands that change tables run as the login role, which owns them, and not as the application role."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections

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

    def handle(self, *args: Any, **options: Any) -> Any:
        """The command has run as the login role; afterwards new connections assume the application role again."""
        if not connections[options["database"]].settings_dict["OPTIONS"].get("assume_role"):
            return super().handle(*args, **options)  # type: ignore[misc]  # the mixin's partner has it
        with as_database_owner(options["database"]):
            return super().handle(*args, **options)  # type: ignore[misc]
