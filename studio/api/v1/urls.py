"""The addresses of version 1; none ends in a slash."""

from django.urls import path

from studio.api.v1.config.views import ConfigView

urlpatterns = [
    path("config", ConfigView.as_view(), name="config"),
]
