"""Bodies: which types, charsets, encodings and sizes are read; what they say is for the core's codec.

REST framework's own parsers are not used: they let through duplicate keys, NaN and endless nesting.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any, ClassVar, TypeVar

from django.conf import settings
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from studio.api.errors import BodyTooLarge, UnsupportedBody
from telemetry.core.codec import Format, decode_document
from telemetry.core.documents import MAXIMUM_BYTES, refusal

__all__ = ["Body", "JsonParser", "YamlParser", "body_of", "decode_body"]

T = TypeVar("T")


@dataclass(frozen=True)
class Body:
    """The bytes of a body, and the notation that its content type names."""

    content: bytes
    notation: Format


class JsonParser(BaseParser):
    """Takes JSON bodies."""

    media_type = "application/json"
    notation: ClassVar[Format] = "json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002 - REST framework's signature
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The whole body as a ``Body``, not yet understood.

        Raises ``UnsupportedBody`` for a compressed body or another charset than UTF-8, and ``BodyTooLarge``.
        """
        request: Request = (parser_context or {})["request"]
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise UnsupportedBody("compressed bodies are not read; send the body without Content-Encoding")
        if (request.content_params or {}).get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
            raise UnsupportedBody("the charset of the body must be UTF-8")
        limit = min(settings.STUDIO_REQUEST_MAX_BYTES, MAXIMUM_BYTES)
        content = stream.read(limit + 1)
        if len(content) > limit:
            raise BodyTooLarge(f"the body must be at most {limit} bytes long")
        return Body(content, self.notation)


class YamlParser(JsonParser):
    """Takes YAML bodies."""

    media_type = "application/yaml"
    notation = "yaml"


def body_of(request: Request) -> Body:
    """The request's body; raises ``InvalidDocument`` with the code ``empty`` if there is none."""
    body = request.data
    if not isinstance(body, Body):
        raise refusal("empty", "is empty")
    return body


def decode_body(request: Request, type_: type[T], *, what: str = "body") -> T:
    """The body as a value of ``type_`` that keeps all its rules; raises ``InvalidDocument`` with every broken one."""
    body = body_of(request)
    return decode_document(body.content, type_, what=what, format=body.notation)
