"""What ``benchmarks/config.py`` compares the studio with: WSGI applications for the same server and settings."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

__all__ = ["database", "raw"]

StartResponse = Callable[..., Any]

_BODY = Path(os.environ["BENCHMARK_BODY"]).read_bytes()
_GZIP = Path(os.environ["BENCHMARK_GZIP"]).read_bytes()
_TAG = ("ETag", 'W/"constant"')
_TYPE = ("Content-Type", "application/json")


def raw(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """Constant bytes with the fewest headers: what the server can do if the application does nothing."""
    if "HTTP_IF_NONE_MATCH" in environ:
        start_response("304 Not Modified", [_TAG])
        return []
    if "HTTP_ACCEPT_ENCODING" in environ:
        start_response("200 OK", [_TYPE, _TAG, ("Content-Encoding", "gzip")])
        return [_GZIP]
    start_response("200 OK", [_TYPE, _TAG])
    return [_BODY]


def _without_memory() -> Callable[..., Iterable[bytes]]:
    """The studio as it is without the short way, any memory of documents, and parts that were prepared."""
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()

    from telemetry.core.config_documents import ConfigDocuments
    from telemetry.services import configs
    from telemetry.services.config_cache import BoundedCache

    configs._cache = BoundedCache(0, lambda _document: 1)
    configs._documents = ConfigDocuments(0)
    vars(configs)["prepared_parts"] = lambda _digest: None
    return application


database = _without_memory() if os.environ.get("BENCHMARK_SERVER") == "database" else raw
