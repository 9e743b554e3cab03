"""Writing answers: shapes and core values, in JSON or YAML."""

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer

from telemetry.core.codec import encode_document
from telemetry.core.plain import to_plain
from telemetry.core.yaml_documents import write_yaml

__all__ = ["CsvRenderer", "EventStreamRenderer", "JsonRenderer", "YamlRenderer"]


class JsonRenderer(BaseRenderer):
    """Writes JSON in canonical form; bytes are taken for JSON already."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "text"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,  # noqa: ARG002 - REST framework's signature
        renderer_context: Mapping[str, Any] | None = None,  # noqa: ARG002 - REST framework's signature
    ) -> bytes:
        """The body; empty without data."""
        if data is None or isinstance(data, bytes):
            return data or b""
        return encode_document(data)


class YamlRenderer(BaseRenderer):
    """Writes YAML for people, in UTF-8."""

    media_type = "application/yaml"
    format = "yaml"
    charset = None
    render_style = "text"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,  # noqa: ARG002 - REST framework's signature
        renderer_context: Mapping[str, Any] | None = None,  # noqa: ARG002 - REST framework's signature
    ) -> bytes:
        """The body; empty without data."""
        return b"" if data is None else write_yaml(to_plain(data)).encode()


class CsvRenderer(BaseRenderer):
    """Stands for CSV when types are negotiated; views stream it themselves."""

    media_type = "text/csv"
    format = "csv"
    charset = None
    render_style = "text"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,  # noqa: ARG002 - REST framework's signature
        renderer_context: Mapping[str, Any] | None = None,  # noqa: ARG002 - REST framework's signature
    ) -> bytes:
        """The body, which is bytes already."""
        return bytes(data or b"")


class EventStreamRenderer(BaseRenderer):
    """Stands for server-sent events when types are negotiated; ``studio.streams`` writes them."""

    media_type = "text/event-stream"
    format = "events"
    charset = None
    render_style = "text"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,  # noqa: ARG002 - REST framework's signature
        renderer_context: Mapping[str, Any] | None = None,  # noqa: ARG002 - REST framework's signature
    ) -> bytes:
        """The body, which is bytes already."""
        return bytes(data or b"")
