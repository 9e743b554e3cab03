"""The addresses of other clients, below ``/ingest/``."""

from django.urls import include, path

from studio.api.compat.otlp.views import LogsView

urlpatterns = [
    path("posthog/", include("studio.api.compat.posthog.urls")),
    path("segment/v1/", include("studio.api.compat.segment.urls")),
    path("otlp/v1/logs", LogsView.as_view()),
]
