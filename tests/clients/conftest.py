"""A studio that other people's clients send events to, over real HTTP, and what it has kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.server import RunningStudio, running_studio
from tests.studio.api.compat.sending import Shop, make_shop


@pytest.fixture(scope="session")
def studio(django_db_setup: None, server_directory: Path, redis_url: str) -> Iterator[RunningStudio]:
    """The studio behind its web server; one for all tests of this process."""
    with running_studio(server_directory, redis_url) as running:
        yield running


@pytest.fixture
def address(studio: RunningStudio) -> str:
    """Where the studio listens."""
    return studio.address


@pytest.fixture
def shop(transactional_db: None) -> Shop:
    """An installation with the events of a web shop."""
    return make_shop()
