"""A Django app whose answers are tracked: ``python examples/django_shop.py``."""

import secrets
from typing import Any

from django.conf import settings

settings.configure(
    SECRET_KEY=secrets.token_hex(),
    ALLOWED_HOSTS=["testserver"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[f"{__name__}.middleware"],
    INSTALLED_APPS=["rest_framework"],
    REST_FRAMEWORK={"UNAUTHENTICATED_USER": None, "DEFAULT_AUTHENTICATION_CLASSES": []},
)

import django  # noqa: E402  Django reads its settings when it is set up

django.setup()

from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.exceptions import NotFound  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from shop import PLACE, place, tracker  # noqa: E402

from telemetry.core.operations import OperationContext, SpecRegistry  # noqa: E402
from telemetry.sdk.integrations.django import telemetry_middleware  # noqa: E402
from telemetry.sdk.integrations.exchanges import RequestTelemetry  # noqa: E402
from telemetry.sdk.integrations.rest_framework import TelemetryView  # noqa: E402

REQUESTS = RequestTelemetry(event="http.request", version=1)
registry = SpecRegistry()
registry.register(PLACE, place)


def who(request: HttpRequest) -> OperationContext:
    """Who asks, by the header that a gateway in front has set."""
    return OperationContext(user_id=request.headers.get("X-User"), channel="web")


middleware = telemetry_middleware(tracker, REQUESTS, context=who)


def order(request: Any, number: int) -> HttpResponse:
    """Place an order through an operation, which tracks as well."""
    placed = registry.execute("shop.place", 1, {"email": "ada@example.com", "total": number}, request.telemetry)
    return HttpResponse(f"order {placed.number}")


class OrdersView(TelemetryView):
    """A view of the REST framework, which tracks its own answers."""

    tracker = tracker
    telemetry = RequestTelemetry(
        event="shop.order_failed",
        version=1,
        properties=lambda exchange: {"kind": type(exchange.error).__name__} if exchange.error else None,
    )

    def get(self, request: Request, number: int) -> Response:  # noqa: ARG002  the address decides
        """An order, of which there is one."""
        if number != 1:
            raise NotFound
        return Response({"number": number})


urlpatterns = [path("orders/<int:number>", order), path("api/orders/<int:number>", OrdersView.as_view())]


def main() -> None:
    """Ask for pages, one of which fails."""
    client = Client(raise_request_exception=False, headers={"X-User": "user-123"})
    for address in ("/orders/4711", "/orders/0", "/nowhere", "/api/orders/1", "/api/orders/2"):
        print(address, client.get(address).status_code)


if __name__ == "__main__":
    main()
