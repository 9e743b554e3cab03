"""The base of every address that takes events."""

from typing import Any

from django.db import transaction
from django.utils.decorators import method_decorator
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from studio.api.auth import KeyAuthentication, actor_of, installation_of
from studio.api.ingest.callers import IngestThrottle, remembered_caller
from studio.api.v1.base import ApiView
from tenants.actors import require
from tenants.models import Installation

__all__ = ["IngestView"]


@method_decorator(transaction.non_atomic_requests, name="dispatch")
class IngestView(ApiView):
    """An address for the keys of installations with the scope ``ingest``.

    Checking a key is a transaction of its own, and so is the batch: the answer is written after its commit, and what
    should run after a commit can be told then.
    """

    authentication_classes = [KeyAuthentication]
    throttle_classes = [IngestThrottle]
    has_own_transactions = True

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Keys, remembered where that is certain to be the same as checking them."""
        return [KeyAuthentication(remembered_caller)]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """The caller is known, within limits, and may send events; raises ``NotAllowed``."""
        super().initial(request, *args, **kwargs)
        require(actor_of(request), "event.ingest", installation_of(request).tenant_id)

    def installation(self, request: Request) -> Installation:
        """The installation whose key was presented, with its tenant."""
        return installation_of(request)
