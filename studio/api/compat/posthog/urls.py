"""Where PostHog's clients call, below the host that they are given; with and without a slash at the end."""

from django.urls import path, re_path

from studio.api.compat.posthog.views import (
    AnalyticsView,
    CaptureView,
    FlagsView,
    RemoteConfigScriptView,
    RemoteConfigView,
)

urlpatterns = [
    re_path(r"^(?:batch|e|capture|track|i/v0/e|i/v0/ai/batch)/?$", CaptureView.as_view()),
    re_path(r"^i/v1/analytics/events/?$", AnalyticsView.as_view()),
    re_path(r"^(?:flags|decide)/?$", FlagsView.as_view()),
    path("array/<str:key>/config", RemoteConfigView.as_view()),
    path("array/<str:key>/config.js", RemoteConfigScriptView.as_view()),
]
