"""What every test of erasure needs: a live stream, and secrets to hold refused events under."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from telemetry.stores.live import connect, live_stream
from tests.telemetry.counting import counts_stay_true

__all__ = ["counts_stay_true", "servers"]


@pytest.fixture(autouse=True)
def servers(redis_url: str, settings: Settings) -> Iterator[None]:
    """The stream of this process leads to a real server, and refused events are held."""
    settings.REDIS_URL = redis_url
    settings.STUDIO_QUARANTINE_KEYS = ["a secret of the tests"]
    settings.STUDIO_CREDENTIAL_KEYS = ["another secret of the tests"]
    live_stream.cache_clear()
    yield
    live_stream.cache_clear()
    with connect(redis_url) as client:
        client.flushdb()
