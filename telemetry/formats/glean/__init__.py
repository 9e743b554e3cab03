"""Metrics and pings of Mozilla's Glean, as YAML."""

from telemetry.formats.glean.reading import NAME, is_glean, read_glean
from telemetry.formats.glean.writing import write_glean

__all__ = ["NAME", "is_glean", "read_glean", "write_glean"]
