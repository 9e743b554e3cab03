"""Writing a spec as a Python module."""

import json
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Final

import msgspec

from telemetry.core.plain import is_whole
from telemetry.core.spec import TelemetrySpec
from telemetry.formats.losses import LossReport
from telemetry.formats.python_module.reading import NAME
from telemetry.formats.sources import Exported, SourceFile

__all__ = ["write_python_module"]

_WIDTH: Final = 100


def write_python_module(spec: TelemetrySpec) -> Exported:
    """One module that assigns the spec to a name in capitals; it says all that the spec says."""
    name = re.sub(r"[^A-Z0-9]+", "_", spec.meta.name.upper()).strip("_")
    writer = _Writer()
    value = writer.write(spec, 0)
    title = " ".join(spec.meta.title.split()).replace("\\", "\\\\").replace('"', '\\"')
    imports = "\n".join(_write_import(module, sorted(names)) for module, names in sorted(writer.names.items()))
    text = f'"""{title}: a telemetry spec."""\n\n{imports}\n\n{name} = {value}\n'
    report = LossReport(format=NAME, sources=(), specs=(spec.meta.name,), losses=())
    return Exported((SourceFile(f"{spec.meta.name}.py", text.encode()),), report)


def _write_import(module: str, names: list[str]) -> str:
    line = f"from {module} import {', '.join(names)}"
    return (
        line if len(line) < _WIDTH else f"from {module} import (\n{''.join(f'    {name},{chr(10)}' for name in names)})"
    )


class _Writer:
    """Writes values as expressions, and remembers the names that a module has to import for them."""

    def __init__(self) -> None:
        self.names: dict[str, set[str]] = {}

    def write(self, value: Any, indent: int) -> str:
        """The expression; ``indent`` is that of the line on which it begins, in spaces."""
        if isinstance(value, Enum):
            return f"{self._use(type(value))}.{value.name}"
        if isinstance(value, str):
            return json.dumps(value, ensure_ascii=False)
        if isinstance(value, float) and is_whole(value):
            return repr(int(value))
        if value is None or isinstance(value, bool | int | float):
            return repr(value)
        opening, closing = self._brackets(value)
        parts = list(self._parts(value, indent + 4))
        line = f"{opening}{', '.join(parts)}{',' if isinstance(value, tuple) and len(parts) == 1 else ''}{closing}"
        if "\n" not in line and len(line) + indent < _WIDTH:
            return line
        inner = "".join(f"{' ' * (indent + 4)}{part},\n" for part in parts)
        return f"{opening}\n{inner}{' ' * indent}{closing}"

    def _use(self, type_: type) -> str:
        self.names.setdefault(type_.__module__, set()).add(type_.__name__)
        return type_.__name__

    def _brackets(self, value: Any) -> tuple[str, str]:
        if isinstance(value, msgspec.Struct):
            return f"{self._use(type(value))}(", ")"
        return ("{", "}") if isinstance(value, Mapping) else ("(", ")")

    def _parts(self, value: Any, indent: int) -> Iterator[str]:
        if isinstance(value, msgspec.Struct):
            for field in msgspec.structs.fields(type(value)):
                item = getattr(value, field.name)
                if item != field.default:
                    yield f"{field.name}={self.write(item, indent)}"
        elif isinstance(value, Mapping):
            yield from (
                f"{json.dumps(key, ensure_ascii=False)}: {self.write(item, indent)}" for key, item in value.items()
            )
        else:
            yield from (self.write(item, indent) for item in value)
