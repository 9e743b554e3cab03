"""What every test may use: a database that enforces the application role, and servers of its own.

The first test that needs the database starts a PostgreSQL for this test process, the first that needs a broker starts
a Valkey; both are deleted at the end. ``DATABASE_URL`` and ``REDIS_URL`` point the tests at real servers instead.
Each process of a parallel run has its own servers, so that they share neither data nor roles.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker

from studio.embedded import postgresql_server, valkey_server
from studio.settings import env
from telemetry.services.partitions import ensure_partitions

# A busy machine is no reason to fail: Hypothesis judges answers here, and never how long they took.
hypothesis_settings.register_profile(
    "any machine", hypothesis_settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("any machine")

# What the settings for tests name when the environment names no database and no broker.
NO_DATABASE = "/nonexistent"
NO_BROKER = "redis://127.0.0.1:1/0"


@pytest.fixture(scope="session")
def server_directory() -> Iterator[Path]:
    """Where the servers keep their data. Not pytest's own directory: as root, PostgreSQL runs as another user."""
    with TemporaryDirectory(prefix="studio-tests-", ignore_cleanup_errors=True) as directory:
        yield Path(directory)


@pytest.fixture(scope="session")
def database_server(server_directory: Path) -> Iterator[None]:
    """A PostgreSQL server stands behind Django's settings."""
    database = settings.DATABASES["default"]
    if database["HOST"] != NO_DATABASE:
        yield
        return
    with (
        postgresql_server(server_directory / "postgresql", durable=False) as server,
        pytest.MonkeyPatch.context() as patch,
    ):
        # Set for commands that a test starts as processes of their own, too.
        patch.setenv("DATABASE_URL", server.url)
        parsed = env.postgresql("DATABASE_URL")
        assert parsed is not None
        database["HOST"] = parsed["HOST"]
        database["NAME"] = parsed["NAME"]
        yield


@pytest.fixture(scope="session")
def redis_url(server_directory: Path) -> Iterator[str]:
    """The URL of an empty Valkey or Redis; each test that writes to it cleans up after itself."""
    if settings.REDIS_URL != NO_BROKER:
        yield settings.REDIS_URL
        return
    with valkey_server(server_directory / "valkey", durable=False) as server:
        yield server.url


@pytest.fixture(scope="session")
def django_db_modify_db_settings(database_server: None, django_db_modify_db_settings_parallel_suffix: None) -> None:
    """The test database is created and migrated by the login role, which owns it."""
    settings.DATABASES["default"]["OPTIONS"].pop("assume_role", None)


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_modify_db_settings: None, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """All tests talk to the test database as the application role, so that row-level security binds them."""
    options = connection.settings_dict["OPTIONS"]
    with django_db_blocker.unblock():
        # A database that is kept from run to run was migrated some days ago.
        ensure_partitions()
        connection.close()
    options["assume_role"] = settings.STUDIO_DATABASE_ROLE
    yield
    del options["assume_role"]
    with django_db_blocker.unblock():
        connection.close()


@pytest.fixture
def as_owner(db: None) -> Callable[[], AbstractContextManager[None]]:
    """``with as_owner():`` the test's own connection and transaction is the owner, whom row-level security lets pass.

    For preparing and inspecting rows only; what is under test runs outside the block.
    """

    @contextmanager
    def block() -> Iterator[None]:
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")
            yield
            cursor.execute("SELECT set_config('role', %s, false)", [settings.STUDIO_DATABASE_ROLE])

    return block


@pytest.fixture
def owner_connection(db: None) -> Iterator[psycopg.Connection]:
    """A second connection to the test database as the owner, each statement committed at once.

    It sees nothing that the test has not committed, and what it writes stays: read the catalogue with it, or write in
    transactional tests.
    """
    database = connection.settings_dict
    with psycopg.connect(
        host=database["HOST"],
        port=database["PORT"] or None,
        user=database["USER"],
        password=database["PASSWORD"] or None,
        dbname=database["NAME"],
        autocommit=True,
    ) as owner:
        yield owner
