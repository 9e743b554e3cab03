"""The bytes of a batch: compressed or not, never more than the limit, however small they were on the way."""

import zlib
from collections.abc import Mapping
from typing import Final

import zstandard
from django.conf import settings
from django.http import HttpRequest

from studio.api.errors import BodyTooLarge, UnsupportedBody
from telemetry.core.documents import refusal

__all__ = ["JSON_TYPES", "inflate", "read_content", "read_raw", "too_large"]

JSON_TYPES: Final = ("application/json",)
_UTF8: Final = ("utf-8", "utf8", '"utf-8"')
# Bit 4 asks zlib for a gzip header and checksum. Source: https://zlib.net/manual.html#Advanced
_GZIP: Final = zlib.MAX_WBITS | 16
# What a decompressor may allocate for its window; the format's own recommendation for receivers.
# Source: RFC 8878, section 3.1.1.1.2.
_WINDOW_BYTES: Final = 8 * 1024 * 1024


def read_content(request: HttpRequest, *, types: tuple[str, ...] = JSON_TYPES) -> bytes:
    """The body as its content type names it, decompressed.

    Raises ``UnsupportedBody`` for another content type, charset or content encoding, ``BodyTooLarge`` when more than
    ``STUDIO_INGEST_MAX_BYTES`` come or would come out, and ``InvalidDocument`` for what does not decompress.
    """
    _require_type(request, types)
    limit: int = settings.STUDIO_INGEST_MAX_BYTES
    return inflate(read_raw(request, limit=limit), request.headers.get("Content-Encoding", ""), limit=limit)


def read_raw(request: HttpRequest, *, limit: int) -> bytes:
    """The body as it came, also one that comes in pieces; raises ``BodyTooLarge`` beyond ``limit`` bytes.

    Django takes a body without ``Content-Length`` for empty. Clients that send it in pieces name none (Node's streams,
    for one), and the web server knows where it ends.
    """
    is_in_pieces = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    stream = request.META["wsgi.input"] if is_in_pieces and "Content-Length" not in request.headers else request
    raw: bytes = stream.read(limit + 1)
    if len(raw) > limit:
        raise too_large(limit)
    return raw


def inflate(raw: bytes, encoding: str, *, limit: int) -> bytes:
    """``raw`` as it was before it was encoded by gzip, zstd or not at all; decompression stops at the limit."""
    match encoding.strip().lower():
        case "" | "identity":
            return raw
        case "gzip" | "x-gzip":
            return _gunzip(raw, limit)
        case "zstd":
            return _unzstd(raw, limit)
        case _:
            raise UnsupportedBody("the body's content encoding must be gzip, zstd or identity")


def _require_type(request: HttpRequest, types: tuple[str, ...]) -> None:
    if request.content_type not in types:
        raise UnsupportedBody(f"the body's content type must be {' or '.join(types)}")
    parameters: Mapping[str, str] = request.content_params or {}
    if parameters.get("charset", "utf-8").lower() not in _UTF8:
        raise UnsupportedBody("the charset of the body must be UTF-8")


def _gunzip(raw: bytes, limit: int) -> bytes:
    """All members of the gzip file, one after the other."""
    parts: list[bytes] = []
    left = limit
    while raw:
        member = zlib.decompressobj(_GZIP)
        try:
            part = member.decompress(raw, left + 1)
        except zlib.error:
            raise refusal("bad_encoding", "is not gzip, as Content-Encoding says") from None
        if len(part) > left:
            raise too_large(limit)
        if not member.eof:
            raise refusal("bad_encoding", "is cut off before the end of its gzip file")
        parts.append(part)
        left -= len(part)
        raw = member.unused_data
    return b"".join(parts)


def _unzstd(raw: bytes, limit: int) -> bytes:
    decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES)
    try:
        with decompressor.stream_reader(raw, read_across_frames=True) as reader:
            content = reader.read(limit + 1)
    except zstandard.ZstdError:
        raise refusal("bad_encoding", "is not zstd, as Content-Encoding says, or needs too large a window") from None
    if len(content) > limit:
        raise too_large(limit)
    return content


def too_large(limit: int) -> BodyTooLarge:
    """The error for more bytes than the limit."""
    return BodyTooLarge(f"the body must be at most {limit} bytes long, also when it is decompressed")
