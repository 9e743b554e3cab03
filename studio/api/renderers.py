"""Writing answers: shapes and core values, in JSON or YAML."""

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer

from telemetry.core.codec import encode_document
from telemetry.core.plain import to_plain
from telemetry.core.yaml_documents import write_yaml

__all__ = ["CsvRenderer", "EventStreamRenderer", "JsonRenderer", "YamlRenderer"]


class _TextRenderer(BaseRenderer):
    """Writes text in UTF-8, of which the type of the answer need not speak."""

    charset = None
    render_style = "text"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,  # noqa: ARG002 - REST framework's signature
        renderer_context: Mapping[str, Any] | None = None,  # noqa: ARG002 - REST framework's signature
    ) -> bytes:
        """The body; empty without data."""
        return b"" if data is None else self._write(data)

    def _write(self, data: Any) -> bytes:
        """What views answer with as the body: bytes already, unless the format says otherwise."""
        return bytes(data)


class JsonRenderer(_TextRenderer):
    """Writes JSON in canonical form; bytes are taken for JSON already."""

    media_type = "application/json"
    format = "json"

    def _write(self, data: Any) -> bytes:
        return data if isinstance(data, bytes) else encode_document(data)


class YamlRenderer(_TextRenderer):
    """Writes YAML for people."""

    media_type = "application/yaml"
    format = "yaml"

    def _write(self, data: Any) -> bytes:
        return write_yaml(to_plain(data)).encode()


class CsvRenderer(_TextRenderer):
    """Stands for CSV when types are negotiated; views stream it themselves."""

    media_type = "text/csv"
    format = "csv"


class EventStreamRenderer(_TextRenderer):
    """Stands for server-sent events when types are negotiated; ``studio.streams`` writes them."""

    media_type = "text/event-stream"
    format = "events"
