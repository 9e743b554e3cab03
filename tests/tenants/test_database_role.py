"""The whole database made, undone and made again by a login without superuser rights, as on a managed server."""

from collections.abc import Iterator
from threading import Barrier
from uuid import uuid4

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import ProgrammingError, connection
from psycopg import sql
from pytest_django import Settings

from tenants.database_role import create_application_role
from tests.tenants.catalogue import isolation_gaps, role_gaps
from tests.tenants.together import run_together

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "only-for-this-test"


@pytest.fixture
def role(settings: Settings) -> str:
    """The name of an application role that the cluster does not have yet."""
    settings.STUDIO_DATABASE_ROLE = f"studio_app_{uuid4().hex[:8]}"
    return str(settings.STUDIO_DATABASE_ROLE)


@pytest.fixture
def login(owner_connection: psycopg.Connection, role: str) -> Iterator[str]:
    """This thread's connection is to an empty database, whose owner may create roles and is no superuser."""
    login = f"login_{role}"
    names = {"login": sql.Identifier(login), "role": sql.Identifier(role), "password": sql.Literal(PASSWORD)}

    def run(statement: str) -> None:
        owner_connection.execute(sql.SQL(statement).format(**names))

    run("CREATE ROLE {login} LOGIN CREATEROLE NOSUPERUSER PASSWORD {password}")
    run("CREATE DATABASE {login} OWNER {login}")
    original = connection.settings_dict
    connection.close()
    own = {"NAME": login, "USER": login, "PASSWORD": PASSWORD, "OPTIONS": {"assume_role": role}}
    connection.settings_dict = {**original, **own}
    try:
        yield login
    finally:
        connection.close()
        connection.settings_dict = original
        run("DROP DATABASE {login} WITH (FORCE)")
        run("DROP ROLE IF EXISTS {role}")
        run("DROP ROLE {login}")


def test_an_owner_without_superuser_rights_can_migrate_undo_and_migrate_again(login: str, role: str) -> None:
    call_command("migrate", verbosity=0)
    call_command("migrate", "tenants", "zero", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE tablename LIKE 'tenants_%'")
        assert cursor.fetchone() == (0,)
        with pytest.raises(ProgrammingError, match="permission denied"):
            cursor.execute("SELECT * FROM auth_user")

    call_command("migrate", verbosity=0)

    with connection.cursor() as cursor:
        cursor.execute("SELECT session_user, current_user")
        assert cursor.fetchone() == (login, role)
        assert isolation_gaps(cursor, role) == []
        assert role_gaps(cursor, role) == []


def test_the_role_may_write_the_tables_of_every_app_except_histories(login: str) -> None:
    call_command("migrate", verbosity=0)

    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT relname FROM pg_class
            WHERE relkind = 'r' AND NOT relispartition AND relnamespace = current_schema()::regnamespace AND NOT (
                has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
                AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE')
            )
            ORDER BY 1
            """
        )
        assert [name for (name,) in cursor.fetchall()] == [
            "django_migrations",
            "telemetry_receipt",
            "telemetry_reviewcomment",
            "tenants_auditentry",
            "tenants_blueprintversion",
            "tenants_configchange",
            "tenants_floorversion",
        ]


def test_a_role_that_may_evade_row_level_security_is_refused(
    login: str, role: str, owner_connection: psycopg.Connection
) -> None:
    owner_connection.execute(sql.SQL("CREATE ROLE {} BYPASSRLS").format(sql.Identifier(role)))

    with pytest.raises(ImproperlyConfigured, match="NOSUPERUSER NOBYPASSRLS"):
        call_command("migrate", "tenants", "0001", verbosity=0)


def test_a_login_that_may_not_create_the_role_is_told_what_an_administrator_has_to_run(
    login: str, role: str, owner_connection: psycopg.Connection
) -> None:
    owner_connection.execute(sql.SQL("ALTER ROLE {} NOCREATEROLE").format(sql.Identifier(login)))

    with pytest.raises(ImproperlyConfigured) as refusal:
        call_command("migrate", "tenants", "0001", verbosity=0)

    advice = str(refusal.value).partition("has to run once: ")[2]
    assert advice == f'CREATE ROLE "{role}" NOLOGIN; GRANT "{role}" TO "{login}";'
    owner_connection.execute(advice.encode())
    call_command("migrate", "tenants", "0001", verbosity=0)


@pytest.mark.parametrize("exists", [False, True])
def test_databases_that_are_migrated_at_the_same_time_share_the_role(
    exists: bool, login: str, role: str, owner_connection: psycopg.Connection
) -> None:
    settings_dict = {**connection.settings_dict, "OPTIONS": {}}
    connected = Barrier(8)
    if exists:
        names = {"role": sql.Identifier(role), "login": sql.Identifier(login)}
        for statement in ("SET ROLE {login}", "CREATE ROLE {role}", "RESET ROLE"):
            owner_connection.execute(sql.SQL(statement).format(**names))

    def create() -> str:
        database = connection.copy()
        database.settings_dict = settings_dict
        database.ensure_connection()
        try:
            connected.wait()
            with database.schema_editor() as editor:
                create_application_role(editor)
        finally:
            database.close()
        return "made"

    assert run_together(*[create] * 8) == ["made"] * 8
