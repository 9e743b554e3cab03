"""Bodies of foreign clients: bytes within limits, whatever the compression, and JSON as their languages write it."""

import json
import zlib
from typing import Final

import msgspec
from django.http import HttpRequest

from studio.api.errors import BodyTooLarge
from studio.api.ingest.bodies import inflate, read_raw, too_large
from studio.api.ingest.reading import MOST_VALUES
from telemetry.core.documents import read_int, refusal

__all__ = ["LARGEST_BYTES", "expand", "read_body", "read_json", "too_many_values"]

# PostHog's clients cut batches at 5 MiB plus one event of up to 900 KiB, Segment's at 500 KB; OpenTelemetry's count
# records, and few have more than a kilobyte. The same limit holds for what a compressed body expands to.
LARGEST_BYTES: Final = 8 * 1024 * 1024

GZIP_MAGIC: Final = b"\x1f\x8b"


def read_body(request: HttpRequest) -> bytes:
    """The body as it came, expanded as ``Content-Encoding`` says.

    Raises ``BodyTooLarge``, ``UnsupportedBody`` for an unknown encoding, ``InvalidDocument`` if it is not what it says.
    """
    content = read_raw(request, limit=LARGEST_BYTES)
    for encoding in reversed(request.headers.get("Content-Encoding", "").split(",")):
        is_zlib = encoding.strip().lower() == "deflate"
        content = _undeflated(content) if is_zlib else inflate(content, encoding, limit=LARGEST_BYTES)
    return content


def expand(content: bytes) -> bytes:
    """The content, expanded if it starts like gzip: browsers compress without saying so in a header."""
    return inflate(content, "gzip", limit=LARGEST_BYTES) if content.startswith(GZIP_MAGIC) else content


def read_json(content: bytes) -> object:
    """The value of JSON in UTF-8, also where a client wrote ``NaN`` or a lone surrogate: the event that has it is told.

    Raises ``InvalidDocument`` without a word of the content, and ``BodyTooLarge`` for more values than a batch has.
    """
    if content.count(b",") + content.count(b"[") + content.count(b"{") > MOST_VALUES:
        raise too_many_values()
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return json.loads(content.decode("utf-8-sig"), parse_int=read_int)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise refusal("bad_syntax", f"is not valid JSON ({place})") from None
    except UnicodeDecodeError as error:
        raise refusal("bad_encoding", f"is not valid UTF-8 at byte {error.start + 1}") from None
    except RecursionError:
        raise refusal("too_deep", "is nested too deep") from None


def too_many_values() -> BodyTooLarge:
    """The error for a body whose values would take too much memory."""
    return BodyTooLarge(f"the body must not hold more than {MOST_VALUES} values")


def _undeflated(content: bytes) -> bytes:
    """What zlib made the content of: that is what HTTP calls deflate. Source: RFC 9110, section 8.4.1.2."""
    stream = zlib.decompressobj()
    try:
        expanded = stream.decompress(content, LARGEST_BYTES + 1)
    except zlib.error:
        raise refusal("bad_encoding", "is not deflate, as Content-Encoding says") from None
    if len(expanded) > LARGEST_BYTES:
        raise too_large(LARGEST_BYTES)
    if not stream.eof:
        raise refusal("bad_encoding", "is cut off before its end")
    return expanded
