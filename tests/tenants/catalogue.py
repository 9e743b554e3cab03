"""What the database itself says about isolation."""

from typing import Protocol

__all__ = ["isolation_gaps", "role_gaps"]


class Cursor(Protocol):
    """What Django's and psycopg's cursors share."""

    def execute(self, query: str, params: list[str]) -> object: ...

    def fetchall(self) -> list[tuple[str]]: ...


# Tables (and partitioned tables) that hold tenants' rows, and what each lacks.
TABLES = """
WITH tables AS (
    SELECT c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity, c.relispartition
    FROM pg_class c
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
      AND (c.relname = 'tenants_tenant' OR EXISTS (
          SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
      ))
)
SELECT relname || ': row-level security is off' FROM tables WHERE NOT relispartition AND NOT relrowsecurity
UNION ALL
SELECT relname || ': the owner is not bound' FROM tables WHERE NOT relispartition AND NOT relforcerowsecurity
UNION ALL
SELECT relname || ': no policy for all commands' FROM tables
WHERE NOT relispartition AND NOT EXISTS (
    SELECT FROM pg_policy p
    WHERE p.polrelid = tables.oid AND p.polcmd = '*' AND p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL
)
UNION ALL
SELECT relname || ': the application role may truncate' FROM tables
WHERE has_table_privilege(%s, oid, 'TRUNCATE')
UNION ALL
SELECT relname || ': the application role reaches the partition directly' FROM tables
WHERE relispartition AND has_table_privilege(%s, oid, 'SELECT, INSERT, UPDATE, DELETE')
UNION ALL
SELECT DISTINCT v.relname || ': the view sees with its owner''s eyes'
FROM pg_class v
JOIN pg_rewrite r ON r.ev_class = v.oid
JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
JOIN tables t ON t.oid = d.refobjid
WHERE v.relkind = 'v' AND NOT coalesce(v.reloptions, '{}') && ARRAY['security_invoker=true', 'security_invoker=on']
ORDER BY 1
"""

ROLE = """
SELECT 'may evade row-level security' FROM pg_roles WHERE rolname = %s AND (rolsuper OR rolbypassrls)
UNION ALL
SELECT 'may log in, or make roles or databases' FROM pg_roles
WHERE rolname = %s AND (rolcanlogin OR rolcreaterole OR rolcreatedb)
UNION ALL
SELECT 'is a member of ' || roleid::regrole::text FROM pg_auth_members WHERE member = to_regrole(%s)
UNION ALL
SELECT 'owns ' || relname FROM pg_class WHERE relowner = to_regrole(%s)
UNION ALL
SELECT 'may create in ' || nspname FROM pg_namespace WHERE has_schema_privilege(%s, oid, 'CREATE')
UNION ALL
SELECT 'does not exist' WHERE to_regrole(%s) IS NULL
"""


def isolation_gaps(cursor: Cursor, role: str) -> list[str]:
    """Every way in which a table with tenants' rows is open, in order; empty when all is well."""
    cursor.execute(TABLES, [role, role])
    return [gap for (gap,) in cursor.fetchall()]


def role_gaps(cursor: Cursor, role: str) -> list[str]:
    """Every right that the application role should not have; empty when all is well."""
    cursor.execute(ROLE, [role] * ROLE.count("%s"))
    return [gap for (gap,) in cursor.fetchall()]
