"""Addresses that fail in every way that a request can fail; a test routes them in place of the real ones."""

from typing import Any, Never

from django.db import IntegrityError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.v1.base import ApiView
from tenants.models import Tenant

CANARY = "canary-4711"


class SavesAndFails(ApiView):
    """Stores a row, then meets a bug."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []

    def post(self, request: Request) -> Never:
        """Never answers."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('studio.tenant_ids', '*', true)")
        Tenant.objects.create(slug="half-saved", name="Half saved")
        raise KeyError(CANARY)


class FailsToCommit(ApiView):
    """Everything is well until the transaction ends."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []

    def post(self, request: Request) -> Response:
        """A row whose foreign key is checked at the end."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('studio.tenant_ids', '*', true)")
            cursor.execute(
                "INSERT INTO tenants_membership (user_id, role, created_at) VALUES (987654321, 'viewer', now())"
            )
        return Response(b"{}")


class LosesTheDatabase(ApiView):
    """The database goes away."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []

    def get(self, request: Request) -> Never:
        """Never answers."""
        raise OperationalError(f"server closed the connection: {CANARY}")


def page_with_a_bug(request: HttpRequest) -> HttpResponse:
    """No view of the API, but under its prefix."""
    raise IntegrityError(CANARY)


urlpatterns = [
    path("api/v1/saves-and-fails", SavesAndFails.as_view()),
    path("api/v1/fails-to-commit", FailsToCommit.as_view()),
    path("api/v1/loses-the-database", LosesTheDatabase.as_view()),
    path("api/page-with-a-bug", page_with_a_bug),
]
