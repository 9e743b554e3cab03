"""Bodies of foreign clients: bytes within limits, whatever the compression, and JSON as their languages write it."""

import json
import zlib
from typing import Final, Protocol

import msgspec
import zstandard
from django.http import HttpRequest

from studio.api.errors import BodyTooLarge, UnsupportedBody
from telemetry.core.documents import read_int, refusal

__all__ = ["LARGEST_BYTES", "expand", "read_body", "read_json"]

# PostHog's clients cut batches at 5 MiB plus one event of up to 900 KiB, Segment's at 500 KB; OpenTelemetry's count
# records, and few have more than a kilobyte. The same limit holds for what a compressed body expands to.
LARGEST_BYTES: Final = 8 * 1024 * 1024

GZIP_MAGIC: Final = b"\x1f\x8b"
# zlib's own notation: find out whether it is gzip or zlib. Source: zlib's manual, inflateInit2.
GZIP_OR_ZLIB: Final = 47


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes:
        """At most so many bytes."""


def read_body(request: HttpRequest) -> bytes:
    """The body as it came, expanded as ``Content-Encoding`` says.

    Raises ``BodyTooLarge``, ``UnsupportedBody`` for an unknown encoding, ``InvalidDocument`` if it is not what it says.
    """
    content = _stream_of(request).read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise _too_large()
    for encoding in reversed(request.headers.get("Content-Encoding", "").lower().split(",")):
        content = _decoded(content, encoding.strip())
    return content


def expand(content: bytes) -> bytes:
    """The content, expanded if it starts like gzip: browsers compress without saying so in a header."""
    return _inflated(content) if content.startswith(GZIP_MAGIC) else content


def read_json(content: bytes) -> object:
    """The value of JSON in UTF-8, also where a client wrote ``NaN`` or a lone surrogate: the event that has it is told.

    Raises ``InvalidDocument`` without a word of the content.
    """
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


def _stream_of(request: HttpRequest) -> _Readable:
    """Where the body is read from.

    Django takes a body without ``Content-Length`` for empty. Clients that send it in pieces name none (Node's streams,
    for one), and the web server knows where it ends.
    """
    if "Content-Length" not in request.headers and "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        stream: _Readable = request.META["wsgi.input"]
        return stream
    return request


def _decoded(content: bytes, encoding: str) -> bytes:
    if encoding in ("", "identity"):
        return content
    if encoding in ("gzip", "x-gzip", "deflate"):
        return _inflated(content)
    if encoding == "zstd":
        return _unpacked(content)
    raise UnsupportedBody("the body's encoding must be gzip, deflate, zstd or none")


def _inflated(content: bytes) -> bytes:
    stream = zlib.decompressobj(GZIP_OR_ZLIB)
    try:
        expanded = stream.decompress(content, LARGEST_BYTES + 1)
    except zlib.error:
        raise refusal("bad_encoding", "is not what its encoding says") from None
    if len(expanded) > LARGEST_BYTES:
        raise _too_large()
    if not stream.eof:
        raise refusal("bad_encoding", "ends too early")
    return expanded


def _unpacked(content: bytes) -> bytes:
    reader = zstandard.ZstdDecompressor(max_window_size=LARGEST_BYTES)
    try:
        # The stream stops where it is told to, but does not say whether the content was whole.
        if len(reader.stream_reader(content).read(LARGEST_BYTES + 1)) > LARGEST_BYTES:
            raise _too_large()
        whole = reader.decompressobj()
        expanded = whole.decompress(content)
    except zstandard.ZstdError:
        raise refusal("bad_encoding", "is not what its encoding says") from None
    if not whole.eof:
        raise refusal("bad_encoding", "ends too early")
    return expanded


def _too_large() -> BodyTooLarge:
    return BodyTooLarge(f"the body must be at most {LARGEST_BYTES} bytes long, also when it is expanded")
