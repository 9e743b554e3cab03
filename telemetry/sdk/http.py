"""One HTTP request with the standard library: no redirects, bounded size and time.

The standard library on purpose: an SDK's dependencies become those of every app that tracks, and one small GET a
minute and a POST per batch need neither connection pools nor HTTP/2. See ``docs/adr/0002-sdk-http-client.md``.
"""

import codecs
import socket
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO
from urllib.parse import urlsplit
from urllib.request import HTTPErrorProcessor, HTTPHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request

import msgspec

from telemetry.core.errors import Unavailable
from telemetry.sdk.address import is_loopback

__all__ = ["Answer", "OpenAnswer", "open_answer", "request"]

_CHUNK_BYTES = 64 * 1024
# Guards in front of servers turn the standard library's own name away.
_NAME = "telemetry-studio-sdk"
# Sockets look this codec up when they first resolve a name. If a background thread did, a fork in that moment would
# leave the child with half a module, and without the codec for good.
codecs.lookup("idna")


class _EveryAnswerCounts(HTTPErrorProcessor):
    """Returns each answer as it is: a redirect is not followed, so that no key reaches a host nobody configured."""

    def http_response(self, request: Request, response: HTTPResponse) -> HTTPResponse:  # noqa: ARG002
        return response

    https_response = http_response


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A status with the decoded body; header names are lower case. The body never shows in a ``repr``."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"Answer(status={self.status}, bytes={len(self.body)})"

    @property
    def retry_after(self) -> float | None:
        """The pause that the server asked for, in seconds from now; ``None`` when it asked for none."""
        return _pause_asked_for(self.headers)


class OpenAnswer:
    """The head of an answer whose body is still coming."""

    def __init__(self, response: HTTPResponse) -> None:
        self._response = response
        self.status = response.status
        self.retry_after = _pause_asked_for(_headers(response.headers))

    def lines(self, most_bytes: int) -> Iterator[bytes]:
        """Each line as it comes, with its end, until the answer ends; raises Unavailable for one that is too long."""
        while line := self._response.readline(most_bytes):
            if len(line) >= most_bytes:
                raise Unavailable("no usable answer: a line is too long")
            yield line

    def hang_up(self) -> None:
        """End the answer now, from any thread; whoever reads it finds its end or an error."""
        # The library has no way to wake a reader; without its private socket the reader wakes at the next line.
        with suppress(AttributeError, OSError):
            self._response.fp.raw._sock.shutdown(socket.SHUT_RDWR)  # type: ignore[attr-defined]


@contextmanager
def open_answer(url: str, *, headers: Mapping[str, str], timeout: float) -> Iterator[OpenAnswer]:
    """Within the block the answer to a GET can be read line by line; as for ``request``, without compression.

    ``timeout`` (seconds) bounds each wait for the network. Raises Unavailable, also while the answer is read.
    """
    message = Request(url, headers=dict(headers))  # noqa: S310  scheme checked before
    message.add_header("User-Agent", _NAME)
    try:
        with _opener(url).open(message, timeout=timeout) as response:
            yield OpenAnswer(response)
    except (OSError, HTTPException, ValueError, LookupError) as error:
        reason = getattr(error, "reason", error)
        raise Unavailable(f"no usable answer: {type(reason).__name__}") from None


def request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
    timeout: float,
    maximum_bytes: int,
) -> Answer:
    """Send one request and return the answer, whatever its status; follows no redirect and keeps no connection.

    ``url`` was checked by ``check_address``. ``timeout`` (seconds) bounds each wait for the network, and the reading
    of the body as a whole; ``maximum_bytes`` bounds the body after decompression. Proxies come from the environment,
    except for loopback hosts, where they would only see the key. Raises Unavailable, which names the kind of failure
    and never the address or a header.
    """
    message = Request(url, data=body, headers=dict(headers), method=method)  # noqa: S310  scheme checked before
    message.add_header("Accept-Encoding", "gzip")
    message.add_header("User-Agent", _NAME)
    try:
        with _opener(url).open(message, timeout=timeout) as response:
            raw = _read(response, deadline=time.monotonic() + timeout, maximum_bytes=maximum_bytes)
            found = _headers(response.headers)
            return Answer(status=response.status, headers=found, body=_decoded(raw, found, maximum_bytes))
    # URLError is an OSError; zlib.error means that the body is not what its header says; ValueError and LookupError
    # come from odd host names.
    except (OSError, HTTPException, zlib.error, ValueError, LookupError) as error:
        reason = getattr(error, "reason", error)
        raise Unavailable(f"no usable answer: {type(reason).__name__}") from None


def _opener(url: str) -> OpenerDirector:
    opener = OpenerDirector()
    proxies: dict[str, str] | None = {} if is_loopback(urlsplit(url).hostname or "") else None
    for handler in (ProxyHandler(proxies), HTTPHandler(), HTTPSHandler(), _EveryAnswerCounts()):
        opener.add_handler(handler)
    return opener


def _pause_asked_for(headers: Mapping[str, str]) -> float | None:
    """Seconds from now. Source: RFC 9110, section 10.2.3: a number of seconds or an HTTP date."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


def _headers(message: HTTPMessage) -> dict[str, str]:
    return {name.lower(): value for name, value in message.items()}


def _read(response: IO[bytes], *, deadline: float, maximum_bytes: int) -> bytes:
    chunks = bytearray()
    while chunk := response.read1(_CHUNK_BYTES):  # type: ignore[attr-defined]  # HTTPResponse has it, IO does not
        chunks += chunk
        if len(chunks) > maximum_bytes:
            raise Unavailable("no usable answer: the body is too large")
        if time.monotonic() > deadline:
            raise Unavailable("no usable answer: the body took too long")
    # read1 does not notice when the connection ends early.
    if response.length:  # type: ignore[attr-defined]
        raise Unavailable("no usable answer: the body is cut short")
    return bytes(chunks)


def _decoded(raw: bytes, headers: Mapping[str, str], maximum_bytes: int) -> bytes:
    if headers.get("content-encoding", "").lower() != "gzip":
        return raw
    # 16 + MAX_WBITS: expect a gzip header. One byte more than allowed shows that there is more.
    decompressor = zlib.decompressobj(16 + zlib.MAX_WBITS)
    plain = decompressor.decompress(raw, maximum_bytes + 1)
    if len(plain) > maximum_bytes:
        raise Unavailable("no usable answer: the body is too large")
    if not decompressor.eof:
        raise Unavailable("no usable answer: the body is cut short")
    return plain
