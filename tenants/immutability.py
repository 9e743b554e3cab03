"""What must not change, as migration operations: the database refuses, whoever asks."""

from collections.abc import Sequence

from django.conf import settings

from tenants.isolation import DatabaseOnly

__all__ = ["AppendOnly", "Frozen"]


class AppendOnly(DatabaseOnly):
    """Rows of the table can be added and read, never changed or removed.

    The application role loses the right, and a trigger refuses everybody else's update or delete. Only the owner can
    truncate, as only the owner can drop.
    """

    def forwards(self, table: str) -> list[str]:
        """Take the rights and add the trigger."""
        return [
            f'REVOKE UPDATE, DELETE, TRUNCATE ON "{table}" FROM "{settings.STUDIO_DATABASE_ROLE}"',
            f'CREATE TRIGGER "{table}_append_only" BEFORE UPDATE OR DELETE ON "{table}" '
            "FOR EACH ROW EXECUTE FUNCTION studio_refuse_change('rows are only ever added')",
        ]

    def backwards(self, table: str) -> list[str]:
        """Drop the trigger and give the rights back."""
        return [
            f'DROP TRIGGER "{table}_append_only" ON "{table}"',
            f'GRANT UPDATE, DELETE ON "{table}" TO "{settings.STUDIO_DATABASE_ROLE}"',
        ]

    def describe(self) -> str:
        """One line for the log of migrations."""
        return f"Only ever add rows to {self.model_name}"


class Frozen(DatabaseOnly):
    """The named columns of a row never change, and the row is never removed.

    ``when`` is SQL over ``OLD`` that limits this to some rows.
    """

    def __init__(self, model_name: str, columns: Sequence[str], *, when: str = "true") -> None:
        super().__init__(model_name)
        self.columns = columns
        self.when = when

    def forwards(self, table: str) -> list[str]:
        """Add the triggers."""
        changed = " OR ".join(f'OLD."{column}" IS DISTINCT FROM NEW."{column}"' for column in self.columns)
        refuse = "EXECUTE FUNCTION studio_refuse_change('this part of the row is final')"
        return [
            f'CREATE TRIGGER "{table}_frozen" BEFORE UPDATE ON "{table}" '
            f"FOR EACH ROW WHEN (({self.when}) AND ({changed})) {refuse}",
            f'CREATE TRIGGER "{table}_kept" BEFORE DELETE ON "{table}" FOR EACH ROW WHEN ({self.when}) {refuse}',
        ]

    def backwards(self, table: str) -> list[str]:
        """Drop the triggers."""
        return [f'DROP TRIGGER "{table}_kept" ON "{table}"', f'DROP TRIGGER "{table}_frozen" ON "{table}"']

    def describe(self) -> str:
        """One line for the log of migrations."""
        return f"Freeze {', '.join(self.columns)} of {self.model_name}"
