"""Events to an OpenTelemetry collector as log records, through the official exporter."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import requests
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExportResult
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from telemetry.providers.base import Connection, Delivery, Origin, RefusedEvents, Settings, without_none
from telemetry.providers.outgoing.session import TOTAL_SECONDS, GuardedSession

__all__ = ["OpenTelemetryClient", "OpenTelemetrySettings"]

_SCOPE = InstrumentationScope("telemetry-studio")
_PROTOCOL_HEADERS = frozenset({"content-type", "content-encoding", "user-agent"})


class OpenTelemetrySettings(Settings, frozen=True, kw_only=True):
    """``endpoint`` takes log records over HTTP, and ends in /v1/logs; the credential is sent in ``header``."""

    endpoint: str
    header: str = "Authorization"


class _OwnHeaders(requests.Session):
    """Calls by the guarded session, with no header beyond the protocol's and ours.

    The exporter adds what the environment says (``OTEL_EXPORTER_OTLP_HEADERS``): a key of the operators' own collector,
    which is nothing for a tenant's.
    """

    def __init__(self, session: GuardedSession, headers: Mapping[str, str]) -> None:
        super().__init__()
        self._session = session
        self._own = headers

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        """The answer of the guarded session."""
        given = kwargs.pop("headers", None) or {}
        protocol = {name: value for name, value in given.items() if name.lower() in _PROTOCOL_HEADERS}
        return self._session.request(*args, **kwargs, headers={**protocol, **self._own})


class OpenTelemetryClient:
    """One export of ``OTLPLogExporter`` for each delivery; names of attributes are those that our own entry reads."""

    settings_type: ClassVar[type[Settings]] = OpenTelemetrySettings
    needs_credential: ClassVar[bool] = False
    credential_label: ClassVar[str] = "Value of the header"
    most_events: ClassVar[int] = 500

    def address_of(self, settings: OpenTelemetrySettings) -> tuple[str, str]:
        """The endpoint."""
        return "endpoint", settings.endpoint

    def send(self, connection: Connection, deliveries: Sequence[Delivery], session: GuardedSession) -> None:
        """The collector has the events."""
        settings: OpenTelemetrySettings = connection.settings
        headers = {settings.header: connection.credential} if connection.credential else {}
        exporter = OTLPLogExporter(
            endpoint=settings.endpoint,
            timeout=TOTAL_SECONDS,
            compression=Compression.Gzip,
            session=_OwnHeaders(session, headers),
        )
        try:
            resource = _resource(connection.origin)
            result = exporter.export([_record(delivery, resource) for delivery in deliveries])
        finally:
            exporter.shutdown()  # type: ignore[no-untyped-call]
        if result is not LogRecordExportResult.SUCCESS:
            # The exporter keeps the reason to itself; without one it could not even write the records.
            raise session.failure or RefusedEvents("unwritable")


def _resource(origin: Origin) -> Resource:
    return Resource(
        {
            "service.name": origin.app,
            "deployment.environment.name": origin.environment,
            "telemetry.tenant": origin.tenant,
        }
    )


def _record(delivery: Delivery, resource: Resource) -> ReadableLogRecord:
    dispatch, context = delivery.dispatch, delivery.dispatch.context
    attributes: Mapping[str, Any] = {
        **without_none(dispatch.properties),
        **without_none(
            {
                "user.id": context.user_id,
                "session.id": context.session_id,
                "app.installation.id": context.device_id,
            }
        ),
        "log.record.uid": dispatch.id,
        "telemetry_event_version": dispatch.version,
        "telemetry_inclusion_probability": dispatch.inclusion_probability,
        "telemetry_delivery_id": str(delivery.id),
    }
    nanoseconds = int(dispatch.occurred_at.timestamp()) * 1_000_000_000 + dispatch.occurred_at.microsecond * 1_000
    record = LogRecord(
        timestamp=nanoseconds, observed_timestamp=nanoseconds, event_name=dispatch.name, attributes=dict(attributes)
    )
    return ReadableLogRecord(log_record=record, resource=resource, instrumentation_scope=_SCOPE)
