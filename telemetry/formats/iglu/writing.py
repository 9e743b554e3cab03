"""Writing self-describing schemas, one file per version of an event."""

import json
import re
from typing import Any, Final

from telemetry.core.plain import to_plain
from telemetry.core.shapes import write_path
from telemetry.core.spec import TelemetrySpec
from telemetry.formats.cursor import Cursor, Ledger
from telemetry.formats.iglu.reading import NAME
from telemetry.formats.json_schema.events import write_payload
from telemetry.formats.losses import LossReport
from telemetry.formats.naming import Names
from telemetry.formats.payloads import write_description
from telemetry.formats.sources import Exported, SourceFile

__all__ = ["write_iglu"]

_META_SCHEMA: Final = "http://iglucentral.com/schemas/com.snowplowanalytics.self-desc/schema/jsonschema/1-0-0#"
# Source: the meta schema above, which says how vendors and names are written.
_ADDRESS: Final = re.compile(r"([a-zA-Z0-9-_.]+)/([a-zA-Z0-9-_]+)").fullmatch
_NO_PLACE: Final = "a schema of an event has no place for it"
_LONGEST: Final = 200


def write_iglu(spec: TelemetrySpec) -> Exported:
    """A file ``VENDOR/NAME/jsonschema/VERSION-0-0`` for each event; the vendor is the spec unless the name has one."""
    ledger = Ledger(reasons={"meta": _NO_PLACE, "config": _NO_PLACE, "events": _NO_PLACE}, write=write_path)
    root = ledger.open(to_plain(spec))
    events, names = root.get("events"), Names()
    files = [_write_event(event, spec.meta.name, names) for event in (events.items() if events is not None else ())]
    report = LossReport(format=NAME, sources=(), specs=(spec.meta.name,), losses=ledger.losses())
    return Exported(tuple(files), report)


def _write_event(event: Cursor, vendor: str, names: Names) -> SourceFile:
    name, version = event.get("name"), event.get("version")
    text, number = (str(each.take()) if each is not None else "" for each in (name, version))
    address = _ADDRESS(text)
    owner, own = (address[1], address[2]) if address else (vendor, re.sub(r"[^a-zA-Z0-9-_]", "_", text))
    own = names.claim(own, within=(owner, number), longest=_LONGEST - len(owner) - 1)
    if name is not None and f"{owner}/{own}" != text:
        name.rename(text, f"{owner}/{own}", "schemas are named by their vendor and a name of letters, digits, - and _")
    schema: dict[str, Any] = {
        "$schema": _META_SCHEMA,
        "description": write_description(event),
        "self": {"vendor": owner, "name": own, "format": "jsonschema", "version": f"{number}-0-0"},
        **write_payload(event, is_extended=False),
    }
    data = json.dumps(schema, indent=2, ensure_ascii=False).encode() + b"\n"
    return SourceFile(f"{owner}/{own}/jsonschema/{number}-0-0", data)
