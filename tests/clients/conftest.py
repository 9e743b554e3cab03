"""A studio that other people's clients send events to, over real HTTP, and what it has kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from tenants.models import ConfigReader
from tests.clients.server import RunningStudio, running_studio
from tests.studio.api.compat.sending import Shop, make_shop


@pytest.fixture(scope="package")
def studio(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, server_directory: Path, redis_url: str
) -> Iterator[RunningStudio]:
    """The studio behind its web server; one for all tests of clients, and gone before those of anything else.

    It holds a lease on the database, for which whoever publishes a config would wait.
    """
    with running_studio(server_directory, redis_url) as running:
        yield running
    with django_db_blocker.unblock():
        # The row of a process that was stopped stays until a publisher has waited for it.
        ConfigReader.objects.all().delete()


@pytest.fixture
def address(studio: RunningStudio) -> str:
    """Where the studio listens."""
    return studio.address


@pytest.fixture
def shop(transactional_db: None) -> Shop:
    """An installation with the events of a web shop."""
    return make_shop()
