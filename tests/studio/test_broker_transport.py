"""Workers outlive a broker that goes away; the whole way, with a real one, is in ``tests/faults/test_outages.py``."""

import ssl
from runpy import run_path
from typing import Any

import pytest
from celery import Celery
from redis.exceptions import ConnectionError as BrokerConnectionError

from studio.broker_transport import LastingTransport
from studio.celery import app
from studio.settings import jobs


@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_jobs_go_over_the_lasting_transport(scheme: str) -> None:
    with app.connection_for_write(f"{scheme}://user:secret@broker.test:6380/3?ssl_cert_reqs=required") as connection:
        assert type(connection.transport) is LastingTransport
        assert connection.transport.client is connection
        assert (connection.hostname, connection.port, connection.virtual_host) == ("broker.test", 6380, "3")
        assert (connection.userid, connection.password) == ("user", "secret")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://broker.test/0", False),
        ("rediss://broker.test/0", {"ssl_cert_reqs": ssl.CERT_REQUIRED}),
        ("rediss://broker.test/0?ssl_cert_reqs=none", {"ssl_cert_reqs": ssl.CERT_NONE}),
    ],
)
def test_a_url_of_tls_means_tls_with_a_certificate_that_is_checked(
    monkeypatch: pytest.MonkeyPatch, url: str, expected: object
) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    settings = run_path(jobs.__file__)

    publisher = Celery("publisher", broker=settings["CELERY_BROKER_URL"])
    publisher.conf.broker_use_ssl = settings["CELERY_BROKER_USE_SSL"]

    assert publisher.connection_for_write().ssl == expected


def test_what_is_asked_after_the_connection_was_let_go_is_a_lost_connection(redis_url: str) -> None:
    connection = app.connection_for_write(redis_url)
    channel: Any = connection.channel()
    transport: Any = connection.transport

    # As Celery does with a connection that broke.
    connection.collect()

    assert transport.client is None
    with pytest.raises(BrokerConnectionError) as raised, channel.conn_or_acquire():
        pass
    assert isinstance(raised.value, transport.connection_errors)
