"""OpenTelemetry's official SDKs for Python and Node, exporting logs to the studio."""

import logging
from datetime import datetime
from typing import Any

import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource

from telemetry.core.enums import EventSource
from tests.clients.expected import HAPPENED_AT, ORDER, assert_order, pseudonym
from tests.clients.node import run
from tests.studio.api.compat.sending import Shop, stored

pytestmark = pytest.mark.django_db(transaction=True)

RESOURCE = {"service.name": "shop", "service.version": "4.2.0", "host.name": "web-1"}
WHO = {"user.id": "user-123", "session.id": "session-9"}
NANOSECONDS = int(datetime.fromisoformat(HAPPENED_AT).timestamp() * 1000) * 1_000_000


def provider_for(address: str, key: str, compression: Compression = Compression.NoCompression) -> LoggerProvider:
    exporter = OTLPLogExporter(
        f"{address}/ingest/otlp/v1/logs", headers={"Authorization": f"Bearer {key}"}, compression=compression
    )
    provider = LoggerProvider(Resource(RESOURCE), shutdown_on_exit=False)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    return provider


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip, Compression.Deflate])
def test_the_sdk_for_python(
    address: str, shop: Shop, compression: Compression, caplog: pytest.LogCaptureFixture
) -> None:
    provider = provider_for(address, shop.key, compression)
    logger = provider.get_logger("shop")

    with caplog.at_level(logging.WARNING, "opentelemetry"):
        logger.emit(LogRecord(timestamp=NANOSECONDS, event_name="Order Completed", attributes=ORDER | WHO))
        logger.emit(LogRecord(body="alice@example.com signed in", severity_number=SeverityNumber.INFO))
        provider.shutdown()

    assert caplog.records == []
    (order,) = stored(shop)
    assert_sent_by_opentelemetry(order, shop)


@pytest.mark.parametrize("encoding", ["json", "protobuf"])
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_the_sdk_for_node(address: str, shop: Shop, encoding: str, compression: str) -> None:
    description: dict[str, Any] = {
        "host": f"{address}/ingest/otlp",
        "key": shop.key,
        "encoding": encoding,
        "compression": compression,
        "resource": RESOURCE,
        "scope": "shop",
        "records": [
            {"eventName": "Order Completed", "timestamp": NANOSECONDS // 1_000_000, "attributes": ORDER | WHO},
        ],
    }

    assert run("otlp.mjs", description) == {"errors": []}

    (order,) = stored(shop)
    assert_sent_by_opentelemetry(order, shop)


def test_a_record_that_breaks_its_contract_is_a_partial_success(address: str, shop: Shop) -> None:
    description: dict[str, Any] = {
        "host": f"{address}/ingest/otlp",
        "key": shop.key,
        "encoding": "protobuf",
        "resource": {},
        "scope": "shop",
        "records": [{"eventName": "Order Completed", "attributes": {"total": 1}}],
    }

    (warning,) = run("otlp.mjs", description)["errors"]

    assert "properties.orderId is required" in warning
    assert stored(shop) == []


def assert_sent_by_opentelemetry(order: Any, shop: Shop) -> None:
    """The order, with what a resource adds."""
    assert_order(order, shop, EventSource.OTLP)
    assert order.context["sessionId"] == pseudonym(shop, "session-9")
    assert order.context["metadata"] == {"service.name": "shop"}
    assert order.app_version == "4.2.0"
