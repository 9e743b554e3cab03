"""The way to the broker for workers and for whoever wakes them, so that a worker outlives any restart of the broker."""

from typing import Any

from kombu.transport import redis as kombu_redis
from redis.exceptions import ConnectionError as BrokerConnectionError

__all__ = ["LastingTransport"]


class LastingChannel(kombu_redis.Channel):
    """Kombu's; what is asked of it after its connection was let go is a lost connection, which everybody expects."""

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        """Where the broker is.

        Celery lets a broken connection go first, and only then closes its channel and acknowledges what was in hand:
        both ask where the broker is, which nobody knows any more. Kombu 5.7 fails then in a way that ends the worker.
        """
        if self.connection is None or self.connection.client is None:
            raise BrokerConnectionError("the connection to the broker was let go")
        # The type stubs do not know of it.
        params: dict[str, Any] = super()._connparams(asynchronous=asynchronous)  # type: ignore[misc]
        return params


class LastingTransport(kombu_redis.Transport):
    """Kombu's for Redis and Valkey, with the channel above."""

    Channel = LastingChannel
