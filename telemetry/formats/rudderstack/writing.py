"""Writing tracking plans of RudderStack, in the shape of its API."""

import json
from typing import Any, Final

from telemetry.core.plain import to_plain
from telemetry.core.shapes import write_path
from telemetry.core.spec import TelemetrySpec
from telemetry.formats.cursor import Cursor, Ledger
from telemetry.formats.losses import LossReport
from telemetry.formats.naming import Names, spec_name
from telemetry.formats.payloads import kind_of_event, write_call_schema, write_description
from telemetry.formats.rudderstack.reading import NAME
from telemetry.formats.sources import Exported, SourceFile

__all__ = ["write_rudderstack_plan"]

_NO_PLACE: Final = "a tracking plan has no place for it"


def write_rudderstack_plan(spec: TelemetrySpec) -> Exported:
    """One plan with a rule for each event; of several versions of an event, later ones get a number behind the name."""
    ledger = Ledger(reasons={"meta": _NO_PLACE, "config": _NO_PLACE, "events": _NO_PLACE}, write=write_path)
    root = ledger.open(to_plain(spec))
    plan: dict[str, Any] = {}
    for key, place in (("name", "title"), ("description", "description"), ("version", "version")):
        cursor = root.find("meta", place)
        if cursor is not None:
            plan[key] = cursor.take()
    name = root.find("meta", "name")
    if name is not None and spec_name(spec.meta.title) == name.value:
        name.take()
    events, names = root.get("events"), Names()
    plan["rules"] = {"events": [_write_rule(each, names) for each in (events.items() if events is not None else ())]}
    data = json.dumps(plan, indent=2, ensure_ascii=False).encode() + b"\n"
    report = LossReport(format=NAME, sources=(), specs=(spec.meta.name,), losses=ledger.losses())
    return Exported((SourceFile(f"{spec.meta.name}.rudderstack.json", data),), report)


def _write_rule(event: Cursor, names: Names) -> dict[str, Any]:
    name, version = event.get("name"), event.get("version")
    said = str(name.take()) if name is not None else ""
    became = names.claim(said, longest=200)
    if name is not None and became != said:
        name.rename(said, became, "events of a plan have no version, so names must differ")
    if version is not None and version.value == 1:
        version.take()
    kind, call = kind_of_event(became)
    schema = write_call_schema(event, kind)
    return {"name": call, "description": write_description(event), "eventType": kind, "rules": schema}
