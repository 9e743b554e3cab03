"""Row-level security as migration operations: a table that holds tenants' rows shows and takes only the context's.

``tenants.context`` sets the context. A view on an isolated table needs ``security_invoker``, and partitions must not be
granted to the application role: row-level security holds only for the table that a query names.
"""

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

__all__ = ["DatabaseOnly", "IsolateTenants", "SameTenant"]

# Each SELECT runs once per statement. Asked once per row instead, the same question made a scan of a million rows
# six times slower.
IN_CONTEXT = '(SELECT studio_context_is_all()) OR "{column}" = ANY ((SELECT studio_context_tenants())::bigint[])'


class DatabaseOnly(Operation):
    """Base of operations that run statements on one model's table and leave Django's state of the model as it is."""

    reduces_to_sql = True
    reversible = True

    def __init__(self, model_name: str) -> None:
        self.model_name = model_name

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Nothing changes for Django."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,  # noqa: ARG002 - Django's signature
        to_state: ProjectState,
    ) -> None:
        """The statements of ``forwards`` have run."""
        self._run(app_label, schema_editor, to_state, self.forwards)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,  # noqa: ARG002 - Django's signature
        to_state: ProjectState,
    ) -> None:
        """The statements of ``backwards`` have run."""
        self._run(app_label, schema_editor, to_state, self.backwards)

    def forwards(self, table: str) -> list[str]:
        """Statements that do it."""
        raise NotImplementedError

    def backwards(self, table: str) -> list[str]:
        """Statements that undo it."""
        raise NotImplementedError

    def _run(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, state: ProjectState, statements: Any
    ) -> None:
        model = state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            for statement in statements(model._meta.db_table):
                schema_editor.execute(statement, None)


class IsolateTenants(DatabaseOnly):
    """Rows of the table are seen and written only in a context that holds the tenant in ``column``.

    ``or_when`` is SQL over the row that opens it as well, for reading and writing; ``or_readable_when`` for reading
    only. The owner of the table is bound too; superusers are not. ``TRUNCATE`` is not covered: do not grant it.
    """

    def __init__(
        self, model_name: str, *, column: str = "tenant_id", or_when: str = "", or_readable_when: str = ""
    ) -> None:
        super().__init__(model_name)
        self.column = column
        self.or_when = or_when
        self.or_readable_when = or_readable_when

    def forwards(self, table: str) -> list[str]:
        """Switch row-level security on, for the owner too, and say who sees what."""
        condition = IN_CONTEXT.format(column=self.column) + (f" OR ({self.or_when})" if self.or_when else "")
        statements = [
            f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
            f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
            f'CREATE POLICY "{table}_tenant" ON "{table}" FOR ALL USING ({condition}) WITH CHECK ({condition})',
        ]
        if self.or_readable_when:
            statements.append(f'CREATE POLICY "{table}_read" ON "{table}" FOR SELECT USING ({self.or_readable_when})')
        return statements

    def backwards(self, table: str) -> list[str]:
        """Drop the policies and switch row-level security off."""
        return [
            f'DROP POLICY IF EXISTS "{table}_read" ON "{table}"',
            f'DROP POLICY "{table}_tenant" ON "{table}"',
            f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY',
            f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY',
        ]

    def describe(self) -> str:
        """One line for the log of migrations."""
        return f"Isolate the tenants' rows of {self.model_name}"


class SameTenant(DatabaseOnly):
    """A row that names a tenant and an installation names the installation's tenant.

    Foreign keys are checked without row-level security, so one on the installation alone would let a tenant's row
    point at another tenant's installation.
    """

    def forwards(self, table: str) -> list[str]:
        """Add a foreign key over both columns; ``DEFERRABLE`` like Django's own."""
        return [
            f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_same_tenant" FOREIGN KEY (installation_id, tenant_id) '
            "REFERENCES tenants_installation (id, tenant_id) DEFERRABLE INITIALLY DEFERRED"
        ]

    def backwards(self, table: str) -> list[str]:
        """Drop the foreign key."""
        return [f'ALTER TABLE "{table}" DROP CONSTRAINT "{table}_same_tenant"']

    def describe(self) -> str:
        """One line for the log of migrations."""
        return f"Tie the tenant of {self.model_name} to its installation's"
