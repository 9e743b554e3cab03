"""Changes that bypass the services still reach the processes that answer from memory, as a migration operation.

Services call ``bump`` and wait. A change made by hand, such as a key revoked in an emergency with ``psql``, or by code
that forgot, moves the counter at its commit, and those processes hear of it within milliseconds.
"""

from collections.abc import Sequence

from tenants.isolation import DatabaseOnly

__all__ = ["MovesConfigCounter"]


class MovesConfigCounter(DatabaseOnly):
    """A change of one of these columns, or the removal of a row, moves the counter unless ``bump`` has done so.

    With ``additions``, a new row does too.

    ``studio_move_config_counter``, from the migration that names the operation first, runs when the transaction
    commits, so that its lock on the counter is the last and shortest.
    """

    def __init__(self, model_name: str, columns: Sequence[str], *, additions: bool = False) -> None:
        super().__init__(model_name)
        self.columns = columns
        self.additions = additions

    def forwards(self, table: str) -> list[str]:
        """Add the triggers."""
        changed = " OR ".join(f'OLD."{column}" IS DISTINCT FROM NEW."{column}"' for column in self.columns)
        deferred = "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
        move = "EXECUTE FUNCTION studio_move_config_counter()"
        added = f'CREATE CONSTRAINT TRIGGER "{table}_added" AFTER INSERT ON "{table}" {deferred} {move}'
        return [
            f'CREATE CONSTRAINT TRIGGER "{table}_changed" AFTER UPDATE ON "{table}" {deferred} WHEN ({changed}) {move}',
            f'CREATE CONSTRAINT TRIGGER "{table}_removed" AFTER DELETE ON "{table}" {deferred} {move}',
            *([added] if self.additions else []),
        ]

    def backwards(self, table: str) -> list[str]:
        """Drop the triggers."""
        words = [*(["added"] if self.additions else []), "removed", "changed"]
        return [f'DROP TRIGGER "{table}_{word}" ON "{table}"' for word in words]

    def describe(self) -> str:
        """One line for the log of migrations."""
        return f"Move the config counter with {', '.join(self.columns)} of {self.model_name}"
