"""Writing tracking plans of Segment, in the shape of the Public API."""

import json
from typing import Any, Final

from telemetry.core.plain import to_plain
from telemetry.core.shapes import write_path
from telemetry.core.spec import TelemetrySpec
from telemetry.formats.cursor import Cursor, Ledger
from telemetry.formats.losses import LossReport
from telemetry.formats.payloads import (
    kind_of_event,
    write_call_schema,
    write_common_schema,
    write_description,
    write_labels,
)
from telemetry.formats.segment.reading import NAME
from telemetry.formats.sources import Exported, SourceFile

__all__ = ["write_segment_plan"]

_NO_PLACE: Final = "a tracking plan has no place for it"


def write_segment_plan(spec: TelemetrySpec) -> Exported:
    """One plan with a rule for each event, and one for the context of all calls."""
    ledger = Ledger(reasons={"meta": _NO_PLACE, "config": _NO_PLACE, "events": _NO_PLACE}, write=write_path)
    root = ledger.open(to_plain(spec))
    plan: dict[str, Any] = {}
    for key, place in (("name", "title"), ("slug", "name"), ("description", "description")):
        cursor = root.find("meta", place)
        if cursor is not None:
            plan[key] = cursor.take()
    plan["type"] = "LIVE"
    events, context = root.get("events"), root.find("config", "contextProperties")
    plan["rules"] = [_write_rule(event) for event in (events.items() if events is not None else ())]
    if context is not None:
        plan["rules"].append({"type": "COMMON", "version": 1, "jsonSchema": write_common_schema(context)})
    data = json.dumps(plan, indent=2, ensure_ascii=False).encode() + b"\n"
    report = LossReport(format=NAME, sources=(), specs=(spec.meta.name,), losses=ledger.losses())
    return Exported((SourceFile(f"{spec.meta.name}.segment.json", data),), report)


def _write_rule(event: Cursor) -> dict[str, Any]:
    name, version = (cursor.take() for key in ("name", "version") if (cursor := event.get(key)) is not None)
    kind, key = kind_of_event(name)
    rule: dict[str, Any] = {"type": kind.upper(), "key": key} if key else {"type": kind.upper()}
    schema = {"description": write_description(event), **write_call_schema(event, kind), "labels": write_labels(event)}
    return {**rule, "version": version, "jsonSchema": schema}
