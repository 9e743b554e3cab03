"""Erasure requests over HTTP."""

from functools import partial
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.parsers import decode_body
from studio.api.queries import read_query
from studio.api.schema import parameters_of
from studio.api.v1.base import ApiView
from studio.api.v1.erasure.serializers import (
    ErasureCase,
    ErasureDeed,
    ErasureItem,
    ErasurePage,
    ErasureQuery,
    NewErasure,
    write_requests,
)
from studio.api.v1.examples import NEW_ERASURE
from studio.wakeups import wake_erasers
from telemetry.models import ErasureRequest
from telemetry.selectors.erasure import erasure_request, erasure_requests, tenants_to_search
from telemetry.services.erasure.requests import cancel_erasure, confirm_erasure, request_erasure, retry_forwards
from tenants.actors import require_somewhere

__all__ = ["CancellationView", "ConfirmationView", "ErasureView", "ErasuresView", "ForwardRetryView"]


class ErasuresView(ApiView):
    """``/api/v1/erasure-requests``."""

    queries = {"GET": ErasureQuery}

    @extend_schema(operation_id="listErasures", parameters=parameters_of(ErasureQuery), responses=ErasurePage)
    def get(self, request: Request) -> Response:
        """The erasure requests of the tenants in which the caller has the ability `erasure.handle`."""
        actor = actor_of(request)
        require_somewhere(actor, "erasure.handle")
        query = read_query(request, ErasureQuery)
        wanted = {"tenant__slug": query.tenant, "case_id": query.case, "state": query.state}
        rows = erasure_requests(actor).filter(**{name: value for name, value in wanted.items() if value is not None})
        start = (query.page - 1) * query.page_size
        items = write_requests(list(rows[start : start + query.page_size]))
        return Response(ErasurePage(page=query.page, page_size=query.page_size, total=rows.count(), items=items))

    @extend_schema(
        operation_id="requestErasure", request=NewErasure, responses={201: ErasureCase}, examples=[NEW_ERASURE]
    )
    def post(self, request: Request) -> Response:
        """What is stored about the person is counted at each tenant, under every pseudonym key that it has had.

        Nothing is erased before the request is confirmed. The ids are not stored: only keyed pseudonyms are. Needs the
        ability `erasure.handle` in every tenant. 400 for an id that is empty, a wildcard or a pseudonym, and for a
        tenant that the caller may not search.
        """
        actor = actor_of(request)
        require_somewhere(actor, "erasure.handle")
        body = decode_body(request, NewErasure)
        rows = request_erasure(
            actor=actor,
            subjects=body.subjects,
            pseudonyms=body.pseudonyms,
            tenants=tenants_to_search(actor, "erasure.handle", body.tenants),
            reference=body.reference,
            ends_at=body.kept_away_until,
            is_confirmed=body.is_confirmed,
        )
        transaction.on_commit(partial(wake_erasers, [row.pk for row in rows]))
        return Response(ErasureCase(case=rows[0].case_id, requests=write_requests(rows)), status=201)


class ErasureView(ApiView):
    """``/api/v1/erasure-requests/{id}``."""

    @extend_schema(operation_id="getErasure", responses=ErasureItem)
    def get(self, request: Request, erasure_id: UUID) -> Response:
        """One request: what was found, what is erased, and what the last look found. Needs `erasure.handle`."""
        return _answer(erasure_request(actor_of(request), erasure_id))


class ConfirmationView(ApiView):
    """``/api/v1/erasure-requests/{id}/confirm``."""

    @extend_schema(operation_id="confirmErasure", request=ErasureDeed, responses=ErasureItem)
    def post(self, request: Request, erasure_id: UUID) -> Response:
        """The person's events are kept away from now on, and a job erases what is stored. It cannot be undone.

        Needs the ability `erasure.handle`. 409 while it is counted, once it is confirmed, and while a legal hold keeps
        events of the person.
        """
        actor = actor_of(request)
        row = erasure_request(actor, erasure_id)
        decode_body(request, ErasureDeed)
        confirm_erasure(actor=actor, request=row)
        transaction.on_commit(partial(wake_erasers, [row.pk]))
        return _answer(erasure_request(actor, erasure_id))


class CancellationView(ApiView):
    """``/api/v1/erasure-requests/{id}/cancel``."""

    @extend_schema(operation_id="cancelErasure", request=ErasureDeed, responses=ErasureItem)
    def post(self, request: Request, erasure_id: UUID) -> Response:
        """Nothing is erased, and the request forgets the person. 409 once it is confirmed."""
        actor = actor_of(request)
        row = erasure_request(actor, erasure_id)
        decode_body(request, ErasureDeed)
        cancel_erasure(actor=actor, request=row)
        return _answer(erasure_request(actor, erasure_id))


class ForwardRetryView(ApiView):
    """``/api/v1/erasure-requests/{id}/retry-providers``."""

    @extend_schema(operation_id="retryErasureProviders", request=ErasureDeed, responses=ErasureItem)
    def post(self, request: Request, erasure_id: UUID) -> Response:
        """Providers that were given up are told again; once they know, there is another receipt."""
        actor = actor_of(request)
        row = erasure_request(actor, erasure_id)
        decode_body(request, ErasureDeed)
        retry_forwards(actor=actor, request=row)
        transaction.on_commit(partial(wake_erasers, [row.pk]))
        return _answer(erasure_request(actor, erasure_id))


def _answer(row: ErasureRequest) -> Response:
    return Response(write_requests([row])[0])
