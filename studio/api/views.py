"""What answers where the API has nothing."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from studio.api.errors import UnknownAddress, answer_for

__all__ = ["unknown_address"]


@csrf_exempt
@transaction.non_atomic_requests
def unknown_address(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """404 for every method; no query."""
    return answer_for(UnknownAddress("the API has no such address; /api/v1/schema lists those that it has"))
