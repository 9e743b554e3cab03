"""Legal holds and receipts over HTTP."""

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.pages import page_of
from studio.api.parsers import decode_body
from studio.api.queries import read_query
from studio.api.schema import parameters_of
from studio.api.v1.base import ApiView
from studio.api.v1.examples import HOLD_LIFTING, NEW_HOLD
from studio.api.v1.retention.serializers import (
    HoldItem,
    HoldPage,
    HoldQuery,
    Lifting,
    NewHold,
    ReceiptFileQuery,
    ReceiptPage,
    ReceiptQuery,
    write_hold,
    write_receipt,
)
from telemetry.formats.receipts import ReceiptDocument
from telemetry.selectors.retention import hold_by_id, holds, receipts
from telemetry.services.holds import lift_hold, place_hold
from telemetry.services.receipts import export_receipts
from tenants.actors import require, require_somewhere
from tenants.selectors import installation_by_public_id, tenant_by_slug

__all__ = ["HoldView", "HoldsView", "LiftingView", "ReceiptFileView", "ReceiptsView"]


class HoldsView(ApiView):
    """``/api/v1/legal-holds``."""

    queries = {"GET": HoldQuery}

    @extend_schema(operation_id="listLegalHolds", parameters=parameters_of(HoldQuery), responses=HoldPage)
    def get(self, request: Request) -> Response:
        """Legal holds in the tenants in which the caller has a role. Needs the ability `hold.manage` somewhere."""
        actor = actor_of(request)
        require_somewhere(actor, "hold.manage")
        query = read_query(request, HoldQuery)
        rows = holds(tenant=query.tenant, is_active=query.is_active)
        if not actor.can("hold.manage"):
            rows = rows.filter(tenant_id__in=[key for key in actor.grants if key and actor.can("hold.manage", key)])
        return Response(page_of(rows, query, write_hold))

    @extend_schema(operation_id="placeLegalHold", request=NewHold, responses={201: HoldItem}, examples=[NEW_HOLD])
    def post(self, request: Request) -> Response:
        """What the hold describes is neither purged nor erased any more. Needs the ability `hold.manage` in the tenant.

        Leaves an audit entry and a receipt.
        """
        actor = actor_of(request)
        require_somewhere(actor, "hold.manage")
        new = decode_body(request, NewHold, what="hold")
        hold = place_hold(
            actor=actor,
            tenant=tenant_by_slug(new.tenant),
            reason=new.reason,
            installation=None if new.installation is None else installation_by_public_id(new.installation),
            event_name=new.event,
            subject=new.subject,
            starts_at=new.starts_at,
            ends_at=new.ends_at,
        )
        return Response(write_hold(hold), status=201, headers={"Location": f"/api/v1/legal-holds/{hold.pk}"})


class HoldView(ApiView):
    """``/api/v1/legal-holds/{id}``."""

    @extend_schema(operation_id="getLegalHold", responses=HoldItem)
    def get(self, request: Request, hold_id: int) -> Response:
        """One legal hold. Needs the ability `hold.manage` in its tenant."""
        hold = hold_by_id(hold_id)
        require(actor_of(request), "hold.manage", hold.tenant_id)
        return Response(write_hold(hold))


class LiftingView(ApiView):
    """``/api/v1/legal-holds/{id}/lift``."""

    @extend_schema(operation_id="liftLegalHold", request=Lifting, responses=HoldItem, examples=[HOLD_LIFTING])
    def post(self, request: Request, hold_id: int) -> Response:
        """The hold keeps nothing any more: what is due goes with the next run. Needs the ability `hold.manage`.

        Leaves an audit entry and a receipt. 409 `conflict` if it is lifted already.
        """
        actor, hold = actor_of(request), hold_by_id(hold_id)
        require(actor, "hold.manage", hold.tenant_id)
        because = decode_body(request, Lifting).because
        return Response(write_hold(lift_hold(actor=actor, hold=hold, because=because)))


class ReceiptsView(ApiView):
    """``/api/v1/receipts``."""

    queries = {"GET": ReceiptQuery}

    @extend_schema(operation_id="listReceipts", parameters=parameters_of(ReceiptQuery), responses=ReceiptPage)
    def get(self, request: Request) -> Response:
        """Receipts of purges, archives, erasures and holds in the tenants in which the caller has a role."""
        require_somewhere(actor_of(request), "view")
        query = read_query(request, ReceiptQuery)
        return Response(page_of(receipts(tenant=query.tenant, kind=query.kind), query, write_receipt))


class ReceiptFileView(ApiView):
    """``/api/v1/receipts.json``."""

    queries = {"GET": ReceiptFileQuery}

    @extend_schema(
        operation_id="exportReceipts",
        parameters=parameters_of(ReceiptFileQuery),
        responses=ReceiptDocument,
    )
    def get(self, request: Request) -> HttpResponse:
        """All receipts of a tenant as the file that `studio verify-receipts` checks. Needs the ability `view` in it."""
        require_somewhere(actor_of(request), "view")
        tenant = tenant_by_slug(read_query(request, ReceiptFileQuery).tenant)
        require(actor_of(request), "view", tenant.pk)
        headers = {"Content-Disposition": f'attachment; filename="receipts-{tenant.slug}.json"'}
        return HttpResponse(export_receipts(tenant), content_type="application/json", headers=headers)
