"""Ingest as one would write it first: serializers of Django REST framework, and ``bulk_create``.

It stores the same columns of the same events in the same table, without authentication, rules, redaction, dedupe and
counts. ``benchmarks.ingest`` serves it by the same web server.
"""

import os
from datetime import timedelta
from typing import Any

import django
from django.core.wsgi import get_wsgi_application
from django.urls import path
from django.utils import timezone

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.plain_settings")
django.setup()

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from telemetry.models import StoredEvent
from tenants.context import ALL, tenant_context


class ContextSerializer(serializers.Serializer[Any]):
    """Around an event."""

    userId = serializers.CharField(required=False)
    sessionId = serializers.CharField(required=False)
    channel = serializers.CharField(required=False)


class PropertiesSerializer(serializers.Serializer[Any]):
    """The declared properties."""

    workflow = serializers.CharField()
    step = serializers.CharField()
    durationMs = serializers.FloatField(required=False)
    amount = serializers.FloatField(required=False)
    isFirst = serializers.BooleanField(required=False)
    plan = serializers.ChoiceField(choices=["free", "pro", "team"], required=False)
    contact = serializers.CharField(required=False)
    reference = serializers.CharField(required=False)
    note = serializers.CharField(required=False)
    startedAt = serializers.CharField(required=False)


class EventSerializer(serializers.Serializer[Any]):
    """One event."""

    id = serializers.UUIDField()
    name = serializers.CharField(max_length=200)
    version = serializers.IntegerField(min_value=1)
    occurredAt = serializers.DateTimeField()
    properties = PropertiesSerializer()
    context = ContextSerializer()


class PlainView(APIView):
    """Takes a batch."""

    def post(self, request: Request) -> Response:
        """The events are stored."""
        serializer = EventSerializer(data=request.data["events"], many=True)
        serializer.is_valid(raise_exception=True)
        now = timezone.now()
        rows = [_row(event, int(request.query_params["installation"]), now) for event in serializer.validated_data]
        with tenant_context(ALL):
            StoredEvent.objects.bulk_create(rows)
        return Response({"stored": len(rows)})


def _row(event: dict[str, Any], installation_id: int, now: Any) -> StoredEvent:
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
application = get_wsgi_application()
