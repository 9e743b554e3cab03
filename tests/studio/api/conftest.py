"""What tests of the API share."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from studio.api import throttles


@pytest.fixture(autouse=True)
def fresh_counts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test counts against another's limits."""
    monkeypatch.setattr(throttles, "rest", throttles.Rest())
    cache.clear()
    yield
    cache.clear()
