"""The columns of the table, and what cells may say."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from telemetry.core.csv_rows import safe_cell

__all__ = ["COLUMNS", "FLAGS", "NAME", "Column", "column_of", "guard", "unguard"]

NAME: Final = "csv"


class Column(NamedTuple):
    """A column by its heading; other tables may head it with one of the ``aliases``."""

    heading: str
    meaning: str
    aliases: tuple[str, ...] = ()


# In this order they are written.
COLUMNS: Final = (
    Column(
        "event", "Name of the event; a row without one is about a property of the context.", ("event name", "event")
    ),
    Column("version", "Whole number from 1; 1 unless said.", ("event version",)),
    Column("what", "What happened.", ("event description", "what happened")),
    Column("who", "Who did it.", ()),
    Column("why", "Why it is collected.", ("purpose",)),
    Column("privacy", "public, internal, pii or sensitive.", ("privacy level", "level")),
    Column("tags", "Tags, parted by spaces.", ("event tags", "labels")),
    Column("owners", "Owners, parted by spaces, each with @.", ("owner", "event owners")),
    Column("retention_days", "Whole days.", ("retention",)),
    Column("retention_policy", "archive or delete.", ()),
    Column("sampling_rate", "Share from 0 to 1.", ("sampling",)),
    Column("sampling_conditions", "Conditions, as a JSON list.", ()),
    Column("anomaly_detection", "Anomaly rules, as the JSON object of a spec.", ()),
    Column("review_by", "A date, such as 2026-11-22.", ()),
    Column("deprecated", "Why the event is no longer to be sent.", ("deprecation",)),
    Column("replaced_by", "The event to send instead.", ()),
    Column("lint_opt_outs", "Exceptions from lint rules, as the JSON list of a spec.", ()),
    Column(
        "property", "Name of the property; a row without one is about the event alone.", ("property name", "attribute")
    ),
    Column("type", "string, number, boolean, timestamp or json.", ("property type", "data type", "datatype")),
    Column("required", "yes or no.", ("is required", "req'd", "mandatory", "property required")),
    Column("pii", "yes, no, or nothing where nobody has decided.", ("is pii", "personal data")),
    Column("redact", "yes or no.", ()),
    Column("redaction", "A strategy, or the JSON object of a spec.", ()),
    Column("description", "What the value says.", ("property description", "definition")),
    Column(
        "allowed_values",
        "Values, as a JSON list or parted by |.",
        ("enum", "allowed values", "possible values", "values"),
    ),
    Column("unit", "What a number counts.", ("units",)),
)
FLAGS: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("yes", "y", "true", "x", "1", "required"), True),
    **dict.fromkeys(("no", "n", "false", "0", "optional"), False),
}
_HEADINGS: Final = {
    alias: column.heading for column in COLUMNS for alias in (*column.aliases, column.heading.replace("_", " "))
}


def column_of(heading: str) -> str | None:
    """The column with this heading or alias, in whatever case and with whatever between its words."""
    return _HEADINGS.get(" ".join(re.split(r"[\s_-]+", heading.strip().lower())))


def guard(text: str) -> str:
    """The text so that no spreadsheet takes it for a formula; ``unguard`` reads it as it was."""
    is_formula = safe_cell(text) != text
    return f"'{text}" if is_formula or unguard(text) != text else text


def unguard(text: str) -> str:
    """The text without the apostrophe that keeps a spreadsheet from taking it for a formula."""
    rest = text[1:]
    return rest if text.startswith("'") and (rest.startswith("'") or safe_cell(rest) != rest) else text
