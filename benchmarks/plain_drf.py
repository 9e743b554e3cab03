"""Ingest as one would write it first: serializers of Django REST framework, and ``bulk_create``.

It stores the same columns of the same events in the same table, without authentication, rules, redaction, dedupe and
counts. ``benchmarks.ingest`` serves it by the same web server.
"""

from datetime import datetime, timedelta
from typing import Any

from django.urls import path
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from telemetry.models import StoredEvent
from tenants.context import ALL, tenant_context


class ContextSerializer(serializers.Serializer[Any]):
    """Around an event."""

    userId = serializers.CharField(required=False)  # noqa: N815 - the key in bodies
    sessionId = serializers.CharField(required=False)  # noqa: N815 - the key in bodies
    channel = serializers.CharField(required=False)


class PropertiesSerializer(serializers.Serializer[Any]):
    """The declared properties."""

    workflow = serializers.CharField()
    step = serializers.CharField()
    durationMs = serializers.FloatField(required=False)  # noqa: N815 - the key in bodies
    amount = serializers.FloatField(required=False)
    isFirst = serializers.BooleanField(required=False)  # noqa: N815 - the key in bodies
    plan = serializers.ChoiceField(choices=["free", "pro", "team"], required=False)
    contact = serializers.CharField(required=False)
    reference = serializers.CharField(required=False)
    note = serializers.CharField(required=False)
    startedAt = serializers.CharField(required=False)  # noqa: N815 - the key in bodies


class EventSerializer(serializers.Serializer[Any]):
    """One event."""

    id = serializers.UUIDField()
    name = serializers.CharField(max_length=200)
    version = serializers.IntegerField(min_value=1)
    occurredAt = serializers.DateTimeField()  # noqa: N815 - the key in bodies
    properties = PropertiesSerializer()
    context = ContextSerializer()  # type: ignore[assignment]  # a field has an attribute of this name


class PlainView(APIView):
    """Takes a batch."""

    def post(self, request: Request) -> Response:
        """The events are stored."""
        body: Any = request.data
        serializer = EventSerializer(data=body["events"], many=True)
        serializer.is_valid(raise_exception=True)
        events: list[Any] = list(serializer.validated_data)
        now = timezone.now()
        rows = [_row(event, int(request.query_params["installation"]), now) for event in events]
        with tenant_context(ALL):
            StoredEvent.objects.bulk_create(rows)
        return Response({"stored": len(rows)})


def _row(event: dict[str, Any], installation_id: int, now: datetime) -> StoredEvent:
    return StoredEvent(
        id=event["id"],
        tenant_id=installation_id,
        installation_id=installation_id,
        name=event["name"],
        version=event["version"],
        received_at=now,
        occurred_at=event["occurredAt"],
        expires_at=now + timedelta(days=30),
        retention_class=30,
        privacy="internal",
        source="batch",
        inclusion_probability=1.0,
        config_revision=1,
        properties=event["properties"],
        context=event["context"],
    )


urlpatterns = [path("events", PlainView.as_view())]
