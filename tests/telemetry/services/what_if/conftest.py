"""Events are sampled in these tests, as in production."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from telemetry.services.what_if import sampling


@pytest.fixture
def sampled(settings: Settings) -> Iterator[None]:
    """Of each kind, the next event is kept."""
    settings.STUDIO_SAMPLE_HOURS = 24
    sampling._next_at.clear()
    yield
    sampling._next_at.clear()
