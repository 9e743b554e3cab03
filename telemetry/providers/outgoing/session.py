"""HTTP calls to the outside: pinned to what was checked, never redirected, short, and mute about what came back."""

import contextlib
import io
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any, Final

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from telemetry.providers.outgoing.targets import BlockedAddress, Resolver, read_target, resolve, system_resolver

__all__ = ["ANSWER_BYTES", "TOTAL_SECONDS", "Answered", "GuardedSession", "Unreachable"]

# From the look-up of the name to the last byte of the answer.
TOTAL_SECONDS: Final = 10.0
# For connecting, and for each wait in between.
WAIT_SECONDS: Final = 5.0
ANSWER_BYTES: Final = 64 * 1024
LONGEST_RETRY_AFTER_SECONDS: Final = 3600.0


class Unreachable(Exception):
    """No answer came; ``reason`` is a word such as ``timeout``, and nothing of the other side is in it."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"no answer: {reason}")
        self.reason = reason


class Answered(Exception):
    """The other side answered with a status that is not 2xx; ``retry_after`` is the pause it asked for, in seconds."""

    def __init__(self, status: int, retry_after: float | None) -> None:
        super().__init__(f"answered {status}")
        self.status = status
        self.retry_after = retry_after


class GuardedSession(requests.Session):
    """A session of ``requests``, for official clients too, that calls nothing internal.

    Each request looks the host up once, refuses it if any answer is internal, and connects to what was looked up, with
    the host's name for TLS and ``Host``. Proxies and ``.netrc`` of the environment are not used, redirects not
    followed. Whatever is not 2xx raises ``Answered``; what gives no answer within ten seconds raises ``Unreachable``;
    what must not be called raises ``BlockedAddress``. Of a good answer at most 64 KiB are read, and never decompressed.
    ``failure`` is what was raised last, for clients that keep it to themselves.
    """

    def __init__(self, *, resolver: Resolver = system_resolver, total_seconds: float = TOTAL_SECONDS) -> None:
        super().__init__()
        self.trust_env = False
        self.failure: Exception | None = None
        self._total_seconds = total_seconds
        self._adapter = _GuardedAdapter(resolver)
        self.mount("https://", self._adapter)
        self.mount("http://", self._adapter)

    def request(self, method: str, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """The answer, if it is good."""
        kwargs["allow_redirects"] = False
        kwargs["stream"] = True
        kwargs["timeout"] = WAIT_SECONDS
        kwargs["headers"] = {**(kwargs.get("headers") or {}), "Accept-Encoding": "identity"}
        self.failure = None
        try:
            with self._adapter.deadline(self._total_seconds) as ends_at:
                response = super().request(method, url, *args, **kwargs)
                return _read(response, ends_at)
        except Exception as error:  # noqa: BLE001 - each becomes one of three of ours
            self.failure = _in_our_words(error, timed_out=self._adapter.has_timed_out())
            raise self.failure from None


def _read(response: requests.Response, ends_at: float) -> requests.Response:
    """The response with its body in memory; raises ``Answered`` for what is not 2xx."""
    with contextlib.closing(response):
        if not 200 <= response.status_code < 300:
            raise Answered(response.status_code, _retry_after(response.headers.get("Retry-After", "")))
        body = _beginning(response, ends_at)
    kept = requests.Response()
    kept.status_code, kept.headers, kept.url = response.status_code, response.headers, response.url
    kept.raw = io.BytesIO(body)
    return kept


def _beginning(response: requests.Response, ends_at: float) -> bytes:
    """What comes of the body in time, up to the limit. The status was good: that is what counts, not the rest of it."""
    body = bytearray()
    # An answer that is cut off raises whatever its encoding makes of that.
    with contextlib.suppress(OSError, HTTPException, urllib3.exceptions.HTTPError):
        while len(body) < ANSWER_BYTES and time.monotonic() < ends_at:
            chunk = response.raw.read1(ANSWER_BYTES - len(body), decode_content=False)
            if not chunk:
                break
            body += chunk
    return bytes(body)


def _retry_after(text: str) -> float | None:
    """Seconds from now. Source: RFC 9110, section 10.2.3: a number of seconds or an HTTP date."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_RETRY_AFTER_SECONDS)
    try:
        seconds = parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(0.0, seconds), LONGEST_RETRY_AFTER_SECONDS)


def _in_our_words(error: Exception, *, timed_out: bool) -> Exception:
    if isinstance(error, Answered | Unreachable):
        return error
    blocked = next((each for each in _chain(error) if isinstance(each, BlockedAddress)), None)
    if blocked is not None:
        return blocked
    if timed_out or any(isinstance(each, TimeoutError | urllib3.exceptions.TimeoutError) for each in _chain(error)):
        return Unreachable("timeout")
    if any(isinstance(each, ssl.SSLError | urllib3.exceptions.SSLError) for each in _chain(error)):
        return Unreachable("tls")
    if isinstance(
        error, requests.RequestException | urllib3.exceptions.HTTPError | HTTPException | OSError | ValueError
    ):
        return Unreachable("connection")
    return error


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and all that led to it: libraries wrap each other's in several ways."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        each = waiting.pop()
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [*each.args, each.__cause__, each.__context__, getattr(each, "reason", None)]


class _GuardedAdapter(HTTPAdapter):
    """Opens guarded connections, and closes them when the time is over."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._lock = threading.Lock()
        # Second handles of the sockets in use: the first ones change hands when TLS begins.
        self._open: list[socket.socket] = []
        self._ends_at = 0.0
        self._timed_out = False
        super().__init__(max_retries=0, pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """The pools make connections that call back here before they connect."""
        super().init_poolmanager(*args, **kwargs)
        guard = self

        class GuardedHTTPConnection(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return guard.connect(self)

        class GuardedHTTPSConnection(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return guard.connect(self)

        class GuardedHTTPPool(HTTPConnectionPool):
            ConnectionCls = GuardedHTTPConnection

        class GuardedHTTPSPool(HTTPSConnectionPool):
            ConnectionCls = GuardedHTTPSConnection

        self.poolmanager.pool_classes_by_scheme = {"http": GuardedHTTPPool, "https": GuardedHTTPSPool}

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """The answer to a request whose address may be called; raises ``BlockedAddress`` before anything is sent."""
        read_target(str(request.url))
        return super().send(request, *args, **kwargs)

    def connect(self, connection: HTTPConnection) -> socket.socket:
        """A socket to an address that was looked up and checked just now."""
        scheme = "https" if isinstance(connection, HTTPSConnection) else "http"
        host = f"[{connection.host}]" if ":" in connection.host else connection.host
        target = read_target(f"{scheme}://{host}:{connection.port}/")
        failure: OSError = TimeoutError()
        for address in resolve(target, self._resolver):
            left = min(WAIT_SECONDS, self._ends_at - time.monotonic())
            if left <= 0:
                break
            try:
                made = socket.create_connection((address, target.port), left)
            except OSError as error:
                failure = error
                continue
            sys.audit("http.client.connect", connection, connection.host, target.port)
            with self._lock:
                self._open.append(made.dup())
            return made
        raise failure

    @contextlib.contextmanager
    def deadline(self, seconds: float) -> Iterator[float]:
        """Within the block, connections are cut when the time is over, whatever they are doing."""
        self._ends_at = time.monotonic() + seconds
        self._timed_out = False
        timer = threading.Timer(seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield self._ends_at
        finally:
            timer.cancel()
            self.poolmanager.clear()
            with self._lock:
                for handle in self._open:
                    handle.close()
                self._open.clear()

    def has_timed_out(self) -> bool:
        """Whether connections were cut."""
        return self._timed_out

    def _cut(self) -> None:
        self._timed_out = True
        with self._lock:
            for handle in self._open:
                # Not ``close``: the thread that waits in a call on the socket would go on waiting.
                with contextlib.suppress(OSError):
                    handle.shutdown(socket.SHUT_RDWR)
