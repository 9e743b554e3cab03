"""Writing plans as tables."""

import csv
import io
import json
from typing import Any, Final

from telemetry.core.plain import to_plain
from telemetry.core.shapes import write_path
from telemetry.core.spec import TelemetrySpec
from telemetry.formats.csv_table.columns import COLUMNS, NAME, guard
from telemetry.formats.cursor import Cursor, Ledger
from telemetry.formats.losses import LossReport
from telemetry.formats.sources import Exported, SourceFile

__all__ = ["write_table"]

_NO_PLACE: Final = "a table of events has no place for it"
# Columns of an event and of a property, by the place of what they say.
_OF_EVENTS: Final = {
    "event": ("name",),
    "version": ("version",),
    "what": ("semantics", "what"),
    "who": ("semantics", "who"),
    "why": ("semantics", "why"),
    "privacy": ("privacy",),
    "tags": ("tags",),
    "owners": ("owners",),
    "retention_days": ("retention", "days"),
    "retention_policy": ("retention", "policy"),
    "sampling_rate": ("sampling", "rate"),
    "sampling_conditions": ("sampling", "conditions"),
    "anomaly_detection": ("anomalyDetection",),
    "review_by": ("reviewBy",),
    "deprecated": ("deprecation", "reason"),
    "replaced_by": ("deprecation", "replacedBy"),
    "lint_opt_outs": ("lintOptOuts",),
}
_OF_PROPERTIES: Final = {
    "type": "type",
    "required": "required",
    "pii": "pii",
    "redact": "redact",
    "redaction": "redaction",
    "description": "description",
    "allowed_values": "allowedValues",
    "unit": "unit",
}
_WORDS: Final = ("tags", "owners")


def write_table(spec: TelemetrySpec) -> Exported:
    """One table: a row for each property, whose first for an event says all that is about the event itself.

    Cells that a spreadsheet could take for formulas begin with an apostrophe.
    """
    ledger = Ledger(reasons={"meta": _NO_PLACE, "config": _NO_PLACE, "events": _NO_PLACE}, write=write_path)
    root = ledger.open(to_plain(spec))
    rows: list[dict[str, str]] = []
    events, context = root.get("events"), root.find("config", "contextProperties")
    for event in events.items() if events is not None else ():
        rows += _write_event(event)
    rows += _write_properties(context)
    text = io.StringIO()
    writer = csv.DictWriter(text, [column.heading for column in COLUMNS], restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({heading: guard(cell) for heading, cell in row.items()} for row in rows)
    report = LossReport(format=NAME, sources=(), specs=(spec.meta.name,), losses=ledger.losses())
    return Exported((SourceFile(f"{spec.meta.name}.csv", text.getvalue().encode()),), report)


def _write_event(event: Cursor) -> list[dict[str, str]]:
    about = {heading: _cell(heading, cursor) for heading, keys in _OF_EVENTS.items() if (cursor := event.find(*keys))}
    identity = {heading: about[heading] for heading in ("event", "version")}
    rows = [{**identity, **row} for row in _write_properties(event.get("properties"))] or [identity]
    return [{**about, **rows[0]}, *rows[1:]]


def _write_properties(properties: Cursor | None) -> list[dict[str, str]]:
    return [
        {
            "property": name,
            **{
                heading: _cell(heading, cursor)
                for heading, key in _OF_PROPERTIES.items()
                if (cursor := definition.get(key))
            },
        }
        for name, definition in (properties.fields() if properties is not None else ())
    ]


def _cell(heading: str, cursor: Cursor) -> str:
    value: Any = cursor.take()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if heading in _WORDS:
        return " ".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
