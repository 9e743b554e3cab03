"""The role that web and workers become: it owns nothing, so row-level security binds it."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.utils import CursorWrapper
from django.db.utils import DatabaseError

__all__ = ["create_application_role", "grant_to_application_role", "revoke_from_application_role"]

# Roles belong to the whole cluster: databases that are migrated at the same time race here. The losers of a race for
# CREATE ROLE see a duplicate; those of a race for GRANT see "tuple concurrently updated", an internal error.
CREATE_ROLE = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {name}) THEN
        CREATE ROLE {role} NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""
GRANT_ROLE = """
DO $$
BEGIN
    GRANT {role} TO CURRENT_USER;
EXCEPTION WHEN unique_violation OR internal_error THEN NULL;
END $$
"""


def create_application_role(schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The role ``STUDIO_DATABASE_ROLE`` exists in the cluster, is harmless, and the login role may become it.

    Raises ``ImproperlyConfigured`` if an existing role could evade row-level security, or if the login role may not
    create the role or become it; the message says what an administrator has to run.
    """
    role = settings.STUDIO_DATABASE_ROLE
    with schema_editor.connection.cursor() as cursor:
        _run(cursor, CREATE_ROLE.format(name=schema_editor.quote_value(role), role=_quoted(schema_editor)))
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %s", [role])
        if cursor.fetchone() != (False,):
            raise ImproperlyConfigured(
                f"STUDIO_DATABASE_ROLE: the role {role!r} may evade row-level security; make it NOSUPERUSER NOBYPASSRLS"
            )
        if not _can_become(cursor, role):
            # Not asked again afterwards: a session that lost the race may not see the winner's grant for a moment.
            _run(cursor, GRANT_ROLE.format(role=_quoted(schema_editor)))


def grant_to_application_role(schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The role may read and write the rows of every table that the login role has made here or will make."""
    for statement in _grants(schema_editor, "GRANT", "TO"):
        schema_editor.execute(statement, None)
    # What has been migrated is for the owner to say; the role may read it, as readiness checks do.
    schema_editor.execute(f"REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {_quoted(schema_editor)}", None)


def revoke_from_application_role(schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The role may do nothing in this database. It stays in the cluster, where other databases may use it."""
    for statement in _grants(schema_editor, "REVOKE", "FROM"):
        schema_editor.execute(statement, None)


def _grants(schema_editor: BaseDatabaseSchemaEditor, verb: str, preposition: str) -> list[str]:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(current_schema())")
        (schema,) = cursor.fetchone()
    rows, numbers, role = "SELECT, INSERT, UPDATE, DELETE", "USAGE, SELECT", _quoted(schema_editor)
    return [
        f"{verb} USAGE ON SCHEMA {schema} {preposition} {role}",
        f"{verb} {rows} ON ALL TABLES IN SCHEMA {schema} {preposition} {role}",
        f"{verb} {numbers} ON ALL SEQUENCES IN SCHEMA {schema} {preposition} {role}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} {verb} {rows} ON TABLES {preposition} {role}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} {verb} {numbers} ON SEQUENCES {preposition} {role}",
    ]


def _can_become(cursor: CursorWrapper, role: str) -> bool:
    """Whether ``SET ROLE`` works; before PostgreSQL 16 every member could, since then it is a right of its own."""
    right = "SET" if cursor.connection.info.server_version >= 160_000 else "MEMBER"
    cursor.execute("SELECT pg_has_role(%s, %s)", [role, right])
    (answer,) = cursor.fetchone()
    return bool(answer)


def _run(cursor: CursorWrapper, statement: str) -> None:
    try:
        cursor.execute(statement)
    except DatabaseError as error:
        raise _not_permitted(cursor) from error


def _not_permitted(cursor: CursorWrapper) -> ImproperlyConfigured:
    role, login = settings.STUDIO_DATABASE_ROLE, cursor.db.settings_dict["USER"]
    return ImproperlyConfigured(
        f"STUDIO_DATABASE_ROLE: the login role may not create {role!r} or become it. An administrator of the server "
        f'has to run once: CREATE ROLE "{role}" NOLOGIN; GRANT "{role}" TO "{login}";'
    )


def _quoted(schema_editor: BaseDatabaseSchemaEditor) -> str:
    return schema_editor.quote_name(settings.STUDIO_DATABASE_ROLE)
