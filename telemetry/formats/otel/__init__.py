"""OpenTelemetry semantic conventions, as YAML: groups, and the newer files of definitions."""

from telemetry.formats.otel.reading import NAME, is_conventions, read_conventions
from telemetry.formats.otel.writing import write_conventions

__all__ = ["NAME", "is_conventions", "read_conventions", "write_conventions"]
