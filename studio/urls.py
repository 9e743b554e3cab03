"""Every address of the studio."""

from django.urls import URLPattern, URLResolver, include, path, re_path

from studio.api.views import unknown_address

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include("studio.api.v1.urls")),
    re_path(r"^api/", unknown_address),
]
