"""Writing a spec as the TypeScript of the origin, in the form that the seed shows."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from telemetry.core.plain import to_plain
from telemetry.core.shapes import write_path
from telemetry.core.spec import TelemetrySpec
from telemetry.formats.contractspec.reading import NAME
from telemetry.formats.contractspec.strings import write_string
from telemetry.formats.cursor import Cursor, Ledger
from telemetry.formats.losses import LossReport
from telemetry.formats.sources import Exported, SourceFile

__all__ = ["write_contract_spec"]

# Where the origin keeps the types, from the root of its package.
TYPES: Final = "@contractspec/lib.contracts"
_NO_PLACE: Final = "the origin's interface has no place for it"
_WIDTH: Final = 80
_IDENTIFIER: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*").fullmatch
_REFERENCE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}").fullmatch
# What the origin's interface knows; the keys of properties and settings are free.
_KNOWN: Final[Mapping[str, Any]] = {
    "meta": dict.fromkeys(("name", "version", "title", "description", "domain", "owners", "tags", "stability")),
    "config": {
        "defaultRetentionDays": None,
        "defaultSamplingRate": None,
        "providers": [{"type": None, "config": None}],
        "anomalyDetection": dict.fromkeys(("enabled", "checkIntervalMs")),
    },
    "events": [
        {
            "name": None,
            "version": None,
            "semantics": dict.fromkeys(("what", "who", "why")),
            "privacy": None,
            "properties": {"*": dict.fromkeys(("type", "required", "pii", "redact", "description"))},
            "retention": dict.fromkeys(("days", "policy")),
            "sampling": dict.fromkeys(("rate", "conditions")),
            "anomalyDetection": {
                "enabled": None,
                "minimumSample": None,
                "thresholds": [dict.fromkeys(("metric", "min", "max"))],
                "actions": None,
            },
            "tags": None,
        }
    ],
}
# What the interface demands, where a spec may leave it to a default.
_DEMANDED: Final[Mapping[str, Mapping[str, Any]]] = {
    "meta": {"description": "", "domain": "", "owners": [], "tags": [], "stability": "experimental"},
    "events": {"properties": {}},
    "providers": {"config": {}},
    "retention": {"policy": "delete"},
    "anomalyDetection": {"enabled": True},
}


def write_contract_spec(spec: TelemetrySpec, *, types: str = TYPES) -> Exported:
    """One file that exports the spec as a constant; ``types`` is the module that has the interface."""
    ledger = Ledger(reasons={"meta": _NO_PLACE, "config": _NO_PLACE, "events": _NO_PLACE}, write=write_path)
    root = ledger.open(to_plain(spec))
    plain = _keep(root, _KNOWN)
    plain.setdefault("events", [])
    name = "".join(word.capitalize() for word in re.findall(r"[A-Za-z0-9]+", spec.meta.name))
    text = (
        f"import {{ StabilityEnum, type TelemetrySpec }} from {write_string(types)};\n\n"
        f"export const {name}: TelemetrySpec = {_Writer().write(plain, 0)};\n"
    )
    report = LossReport(format=NAME, sources=(), specs=(spec.meta.name,), losses=ledger.losses())
    return Exported((SourceFile(f"{spec.meta.name}.ts", text.encode()),), report)


def _keep(cursor: Cursor, known: Any, key: str = "") -> Any:
    """The value without what the interface does not know, and with what it demands."""
    if known is None or (cursor.is_leaf and cursor.kind != "object"):
        return cursor.take()
    if cursor.is_leaf:
        cursor.take()
    if isinstance(known, list):
        return [_keep(each, known[0], key) for each in cursor.items()]
    demanded = {**_DEMANDED.get(key, {})} if cursor.path != ("config", "anomalyDetection") else {"enabled": True}
    kept = {
        name: _keep(each, _inner(known, name), name) for name, each in cursor.fields() if "*" in known or name in known
    }
    order = list(known) if "*" not in known else list(kept)
    whole = {**demanded, **kept}
    return {name: whole[name] for name in order if name in whole}


def _inner(known: Mapping[str, Any], name: str) -> Any:
    return known["*"] if "*" in known else known[name]


class _Writer:
    """Writes plain data as literals, one key per line where a line would be too long."""

    def write(self, value: Any, indent: int, path: tuple[str, ...] = ()) -> str:
        """The literal; ``indent`` is that of the line on which it begins, in spaces."""
        if path == ("meta", "stability"):
            return "StabilityEnum." + "".join(word.capitalize() for word in str(value).split("_"))
        if isinstance(value, str):
            reference = _REFERENCE(value) if "config" in path else None
            return f"process.env.{reference[1]}" if reference is not None else write_string(value)
        if isinstance(value, bool) or value is None:
            return {True: "true", False: "false", None: "null"}[value]
        if not isinstance(value, dict | list):
            return repr(value)
        if not value:
            return "{}" if isinstance(value, dict) else "[]"
        parts = list(self._parts(value, indent + 2, path))
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        space = " " if isinstance(value, dict) else ""
        line = f"{opening}{space}{', '.join(parts)}{space}{closing}"
        if len(path) > 1 and "\n" not in line and len(line) + indent < _WIDTH:
            return line
        inner = "".join(f"{' ' * (indent + 2)}{part},\n" for part in parts)
        return f"{opening}\n{inner}{' ' * indent}{closing}"

    def _parts(self, value: Any, indent: int, path: tuple[str, ...]) -> Iterator[str]:
        if isinstance(value, list):
            yield from (self.write(each, indent, (*path, "[]")) for each in value)
            return
        for key, each in value.items():
            written = key if _IDENTIFIER(key) else write_string(key)
            yield f"{written}: {self.write(each, indent, (*path, key))}"
