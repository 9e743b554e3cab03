"""A bucket that speaks as much of S3's protocol as an archive needs: put, get, head, delete and list over HTTP."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

__all__ = ["Bucket", "bucket_server"]


class Bucket:
    """What is stored, by key, and what was asked; ``status`` makes every request fail with it."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.status = 0
        self.url = ""


class _Handler(BaseHTTPRequestHandler):
    bucket: Bucket
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        content = self._content()
        if not self._refuses():
            self.bucket.objects[self._key()] = content
            self._answer(200)

    def do_GET(self) -> None:
        if self._refuses():
            return
        query = parse_qs(urlsplit(self.path).query)
        if "list-type" in query:
            self._answer(200, self._listing(query).encode(), "application/xml")
        else:
            self._object(with_body=True)

    def do_HEAD(self) -> None:
        if not self._refuses():
            self._object(with_body=False)

    def do_DELETE(self) -> None:
        if not self._refuses():
            self.bucket.objects.pop(self._key(), None)
            self._answer(204)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class's name
        self.bucket.requests.append(f"{self.command} {urlsplit(self.path).path}")

    def _key(self) -> str:
        return unquote(urlsplit(self.path).path).removeprefix("/archive/")

    def _content(self) -> bytes:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if "aws-chunked" not in self.headers.get("Content-Encoding", ""):
            return body
        parts: list[bytes] = []
        while True:
            head, _, body = body.partition(b"\r\n")
            size = int(head.partition(b";")[0], 16)
            if not size:
                return b"".join(parts)
            parts.append(body[:size])
            body = body[size + 2 :]

    def _object(self, *, with_body: bool) -> None:
        content = self.bucket.objects.get(self._key())
        if content is None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>" if with_body else b"", "application/xml")
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", '"an etag"')
        self.send_header("Last-Modified", "Thu, 26 Nov 2026 10:00:00 GMT")
        self.end_headers()
        if with_body:
            self.wfile.write(content)

    def _listing(self, query: dict[str, list[str]]) -> str:
        prefix = query.get("prefix", [""])[0]
        keys = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(content)}</Size></Contents>"
            for key, content in sorted(self.bucket.objects.items())
            if key.startswith(prefix)
        )
        return f"<ListBucketResult><Name>archive</Name><IsTruncated>false</IsTruncated>{keys}</ListBucketResult>"

    def _refuses(self) -> bool:
        if not self.bucket.status:
            return False
        self._answer(self.bucket.status, b"<Error><Code>AccessDenied</Code></Error>", "application/xml")
        return True

    def _answer(self, status: int, body: bytes = b"", kind: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", kind)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def bucket_server() -> Iterator[Bucket]:
    """A server with the empty bucket ``archive``, on a free port of this machine."""
    bucket = Bucket()
    handler = type("Handler", (_Handler,), {"bucket": bucket})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    bucket.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield bucket
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
