"""Typed code from a spec: a function per event, a type per property, the spec's checksum on top."""

from telemetry.formats.clients.generating import LANGUAGES, Language, generate
from telemetry.formats.clients.marks import CodeMark, is_untouched, read_mark

__all__ = ["LANGUAGES", "CodeMark", "Language", "generate", "is_untouched", "read_mark"]
