"""The database's own catalogue is asked whether any table with tenants' rows was forgotten."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from django.conf import settings
from django.db import connection

from tests.tenants.catalogue import isolation_gaps, role_gaps

pytestmark = pytest.mark.django_db

AsOwner = Callable[[], AbstractContextManager[None]]


def gaps_with(as_owner: AsOwner, statements: str) -> list[str]:
    """The gaps while the owner's statements hold; the test's rollback undoes them."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(statements)
        return isolation_gaps(cursor, settings.STUDIO_DATABASE_ROLE)


def test_every_table_with_tenants_rows_is_isolated() -> None:
    with connection.cursor() as cursor:
        assert isolation_gaps(cursor, settings.STUDIO_DATABASE_ROLE) == []


def test_the_application_role_has_no_right_beyond_rows() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == (settings.STUDIO_DATABASE_ROLE,)

        assert role_gaps(cursor, settings.STUDIO_DATABASE_ROLE) == []


def test_a_forgotten_table_is_reported(as_owner: AsOwner) -> None:
    gaps = gaps_with(as_owner, "CREATE TABLE forgotten (id bigint, tenant_id bigint)")

    assert gaps == [
        "forgotten: no policy for all commands",
        "forgotten: row-level security is off",
        "forgotten: the owner is not bound",
    ]


def test_a_table_that_binds_everybody_but_its_owner_is_reported(as_owner: AsOwner) -> None:
    gaps = gaps_with(as_owner, "ALTER TABLE tenants_tenant NO FORCE ROW LEVEL SECURITY")

    assert gaps == ["tenants_tenant: the owner is not bound"]


def test_a_policy_for_reading_alone_is_reported(as_owner: AsOwner) -> None:
    statements = "DROP POLICY tenants_membership_tenant ON tenants_membership"

    assert gaps_with(as_owner, statements) == ["tenants_membership: no policy for all commands"]


def test_a_right_to_truncate_is_reported(as_owner: AsOwner) -> None:
    gaps = gaps_with(as_owner, f'GRANT TRUNCATE ON tenants_installation TO "{settings.STUDIO_DATABASE_ROLE}"')

    assert gaps == ["tenants_installation: the application role may truncate"]


def test_a_partition_that_can_be_read_directly_is_reported(as_owner: AsOwner) -> None:
    statements = """
        CREATE TABLE parted (tenant_id bigint) PARTITION BY LIST (tenant_id);
        ALTER TABLE parted ENABLE ROW LEVEL SECURITY;
        ALTER TABLE parted FORCE ROW LEVEL SECURITY;
        CREATE POLICY parted_tenant ON parted USING (false) WITH CHECK (false);
        CREATE TABLE part_of_it PARTITION OF parted FOR VALUES IN (1);
    """

    assert gaps_with(as_owner, statements) == ["part_of_it: the application role reaches the partition directly"]


def test_a_view_that_sees_with_its_owners_eyes_is_reported(as_owner: AsOwner) -> None:
    gaps = gaps_with(as_owner, "CREATE VIEW peek AS SELECT * FROM tenants_tenant")

    assert gaps == ["peek: the view sees with its owner's eyes"]


def test_a_view_that_sees_with_the_readers_eyes_is_fine(as_owner: AsOwner) -> None:
    statements = "CREATE VIEW peek WITH (security_invoker = true) AS SELECT * FROM tenants_tenant"

    assert gaps_with(as_owner, statements) == []


def test_rights_of_the_role_that_evade_isolation_are_reported(as_owner: AsOwner) -> None:
    role = settings.STUDIO_DATABASE_ROLE

    with as_owner(), connection.cursor() as cursor:
        cursor.execute(f'ALTER ROLE "{role}" BYPASSRLS; ALTER TABLE tenants_app OWNER TO "{role}"')
        gaps = role_gaps(cursor, role)

    assert "may evade row-level security" in gaps
    assert "owns tenants_app" in gaps
