"""Connections that stay open between requests: a dead one is replaced, and a live one is not asked."""

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connections
from psycopg.pq import TransactionStatus

from studio.postgresql.base import DatabaseWrapper, has_hung_up

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kept() -> Iterator[DatabaseWrapper]:
    """A connection of its own, as the last request left it and the next one finds it."""
    wrapper = connections.create_connection("default")
    assert isinstance(wrapper, DatabaseWrapper)
    wrapper.ensure_connection()
    wrapper.health_check_enabled, wrapper.health_check_done = True, False
    yield wrapper
    wrapper.close()


def backend_of(wrapper: DatabaseWrapper) -> int:
    """The id of the server's process; asks nobody."""
    pid: int = wrapper.connection.info.backend_pid
    return pid


def hang_up(wrapper: DatabaseWrapper) -> None:
    """The server ends the connection, and has told so."""
    with psycopg.connect(**wrapper.get_connection_params(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [backend_of(wrapper)])


def test_the_studio_uses_it() -> None:
    assert isinstance(connections["default"], DatabaseWrapper)


def test_a_request_after_the_server_hung_up_gets_a_new_connection(kept: DatabaseWrapper) -> None:
    first = backend_of(kept)
    hang_up(kept)

    with kept.cursor() as cursor:
        cursor.execute("SELECT 1")

    assert backend_of(kept) != first


def test_a_live_connection_is_kept_without_asking_the_server(
    kept: DatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = backend_of(kept)
    monkeypatch.setattr(DatabaseWrapper, "is_usable", lambda _self: pytest.fail("asked"))

    kept.close_if_health_check_failed()

    assert (backend_of(kept), kept.health_check_done) == (first, True)
    assert kept.connection.info.transaction_status is TransactionStatus.IDLE


def test_what_the_server_says_without_being_asked_is_no_reason_to_hang_up(kept: DatabaseWrapper) -> None:
    with kept.cursor() as cursor:
        cursor.execute("LISTEN something")
    with connections["default"].cursor() as cursor:
        cursor.execute("NOTIFY something")

    assert not has_hung_up(kept.connection.pgconn)


def test_a_connection_that_was_given_up_has_hung_up(kept: DatabaseWrapper) -> None:
    kept.connection.pgconn.finish()

    assert has_hung_up(kept.connection.pgconn)
