"""Self-describing schemas of Snowplow's Iglu: single ones, lists of them, and folders of their versions."""

from telemetry.formats.iglu.reading import NAME, is_iglu, read_iglu
from telemetry.formats.iglu.writing import write_iglu

__all__ = ["NAME", "is_iglu", "read_iglu", "write_iglu"]
