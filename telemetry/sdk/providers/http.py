"""Events as JSON batches to a URL, in the background."""

from collections.abc import Sequence

import msgspec

from telemetry.core.errors import TelemetryError, Unavailable
from telemetry.core.events import Dispatch
from telemetry.sdk.address import check_address, check_api_key
from telemetry.sdk.http import request
from telemetry.sdk.queue import QueuedProvider, QueueSettings

__all__ = ["HttpProvider"]

# Nothing of an answer is read but its status; a server that sends more is not the one that was meant.
_ANSWER_BYTES = 1024 * 1024
# "Come back later" in the words of HTTP; every other refusal would be repeated for the same batch.
_TRANSIENT = frozenset({408, 425, 429, *range(500, 600)})
_TOO_LARGE = 413


class HttpProvider(QueuedProvider[Dispatch]):
    """Posts ``{"batch": [event, ...]}`` to a URL; events are redacted dispatches in camelCase.

    Delivery is at least once: a batch whose answer got lost is sent again, and receivers tell by ``id``. Status 408,
    425, 429 and 5xx are retried and ``Retry-After`` is honoured; a batch answered with 413 is sent in halves; other
    statuses, redirects too, give the batch up. The address must be https unless its host is loopback.
    """

    def __init__(
        self,
        url: str,
        *,
        provider_id: str = "http",
        api_key: str | None = None,
        timeout: float = 10.0,
        settings: QueueSettings | None = None,
    ) -> None:
        """``api_key`` travels as a bearer token; ``timeout`` bounds one request, in seconds."""
        self._url = check_address(url, what="provider address")
        self._headers = {"Content-Type": "application/json"}
        if api_key is not None:
            self._headers["Authorization"] = f"Bearer {check_api_key(api_key)}"
        self._timeout = timeout
        super().__init__(provider_id, settings=settings)

    def send_batch(self, items: Sequence[Dispatch]) -> None:
        """Post one batch; raises Unavailable when it is worth another attempt, TelemetryError when it is not."""
        body = msgspec.json.encode({"batch": items})
        answer = request(
            "POST", self._url, headers=self._headers, body=body, timeout=self._timeout, maximum_bytes=_ANSWER_BYTES
        )
        if 200 <= answer.status < 300:
            return
        if answer.status in _TRANSIENT:
            raise Unavailable(f"the server answered {answer.status}", retry_after=answer.retry_after)
        if answer.status == _TOO_LARGE and len(items) > 1:
            middle = len(items) // 2
            self.send_batch(items[:middle])
            self.send_batch(items[middle:])
            return
        raise TelemetryError(f"the server refused the batch with status {answer.status}")
