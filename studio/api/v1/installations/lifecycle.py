"""What else can be done with an installation's override: preview, plan, compare, change at once, undo, promote."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.etags import require_match
from studio.api.parsers import decode_body
from studio.api.queries import read_query
from studio.api.schema import parameters_of
from studio.api.v1.base import ApiView
from studio.api.v1.examples import BULK_CHANGE, CONFIG_PREVIEW, CONFIG_PROMOTION, CONFIG_SCHEDULE
from studio.api.v1.installations.configs import ETAG, IF_MATCH, installation_for, state_tag
from studio.api.v1.installations.serializers import (
    BulkAnswer,
    BulkChange,
    ConfigPreview,
    ConfigPromotion,
    ConfigSchedule,
    ConfigVersion,
    ConfigVersionItem,
    OverrideDiff,
    OverrideDiffQuery,
    PlannedPeriod,
    PlannedPeriods,
    PromotionAnswer,
    PromotionPlan,
    PromotionQuery,
    UndoAnswer,
    write_config,
    write_config_item,
    write_left_out,
    write_override_changes,
    write_period,
)
from telemetry.core.config import TenantOverride
from telemetry.core.errors import Conflict, FieldError, InvalidDocument, NotFound
from telemetry.services.config_comparisons import compare_configs, compare_overrides
from telemetry.services.overrides import schedule_override
from telemetry.services.promotion import plan_promotion, promote_override
from telemetry.services.toggles import edit_in_bulk
from tenants.actors import require
from tenants.mappers import override_of
from tenants.models import ConfigPeriod, Installation, TenantAppConfig
from tenants.selectors import (
    config_by_number,
    draft_config,
    installation_by_public_id,
    planned_periods,
    published_config,
)
from tenants.services.config_drafts import preview_config, undo_draft_change
from tenants.services.config_schedules import end_period

__all__ = [
    "BulkView",
    "ConfigDiffView",
    "ConfigPreviewView",
    "ConfigVersionView",
    "PromotionView",
    "ScheduleView",
    "UndoView",
    "UnscheduleView",
]


class ConfigVersionView(ApiView):
    """``/api/v1/installations/{id}/config/versions/{number}``."""

    @extend_schema(operation_id="getInstallationConfigVersion", responses=ConfigVersion)
    def get(self, request: Request, installation_id: UUID, number: int) -> Response:
        """One version with its override. Needs the ability `view` in the tenant."""
        installation = installation_for(request, "view", installation_id)
        return Response(write_config(config_by_number(installation, number)))


class ConfigDiffView(ApiView):
    """``/api/v1/installations/{id}/config/diff``."""

    queries = {"GET": OverrideDiffQuery}

    @extend_schema(
        operation_id="getInstallationConfigDiff", parameters=parameters_of(OverrideDiffQuery), responses=OverrideDiff
    )
    def get(self, request: Request, installation_id: UUID) -> Response:
        """What changed from one version of the override to another. Needs the ability `view` in the tenant."""
        query = read_query(request, OverrideDiffQuery)
        installation = installation_for(request, "view", installation_id)
        diff = compare_configs(installation, query.before, query.after)
        return Response(OverrideDiff(changes=write_override_changes(diff)))


class ConfigPreviewView(ApiView):
    """``/api/v1/installations/{id}/config/preview``."""

    @extend_schema(
        operation_id="openInstallationConfigPreview",
        request=ConfigPreview,
        responses=ConfigVersionItem,
        examples=[CONFIG_PREVIEW],
    )
    def post(self, request: Request, installation_id: UUID) -> Response:
        """The draft is final and up for review; keys with `config:preview` fetch it by number. Needs `config.edit`."""
        installation = installation_for(request, "config.edit", installation_id)
        wanted = decode_body(request, ConfigPreview)
        opened = preview_config(
            actor=actor_of(request),
            config=config_by_number(installation, wanted.number),
            expected_checksum=wanted.expected_checksum,
        )
        return Response(write_config_item(opened))


class ScheduleView(ApiView):
    """``/api/v1/installations/{id}/config/schedule``."""

    @extend_schema(operation_id="getInstallationSchedule", responses=PlannedPeriods)
    def get(self, request: Request, installation_id: UUID) -> Response:
        """What starts or ends by itself, from now on. Needs the ability `view` in the tenant."""
        installation = installation_for(request, "view", installation_id)
        return Response(PlannedPeriods(items=tuple(map(write_period, planned_periods(installation)))))

    @extend_schema(
        operation_id="scheduleInstallationConfig",
        request=ConfigSchedule,
        responses={201: PlannedPeriod},
        examples=[CONFIG_SCHEDULE],
    )
    def post(self, request: Request, installation_id: UUID) -> Response:
        """A draft or preview goes live by itself, checked against what will hold then. Needs `config.publish`."""
        installation = installation_for(request, "config.publish", installation_id)
        wanted = decode_body(request, ConfigSchedule)
        period = schedule_override(
            actor=actor_of(request),
            config=config_by_number(installation, wanted.number),
            change_summary=wanted.change_summary,
            expected_checksum=wanted.expected_checksum,
            expected_published_number=wanted.expected_published_number,
            starts_at=wanted.starts_at,
            ends_at=wanted.ends_at,
        )
        return Response(write_period(period), status=201)


class UnscheduleView(ApiView):
    """``/api/v1/installations/{id}/config/schedule/{period}/end``."""

    @extend_schema(operation_id="endInstallationSchedule", request=None, responses=PlannedPeriod)
    def post(self, request: Request, installation_id: UUID, period_id: int) -> Response:
        """What is planned does not start, or what runs for a while ends now. Needs `config.publish`; 409 after it."""
        installation = installation_for(request, "config.publish", installation_id)
        period = ConfigPeriod.objects.filter(installation=installation, pk=period_id).first()
        if period is None:
            raise NotFound("there is no such period")
        return Response(write_period(end_period(actor=actor_of(request), period=period)))


class BulkView(ApiView):
    """``/api/v1/installations/{id}/config/bulk``."""

    @extend_schema(
        operation_id="changeInstallationEvents",
        parameters=[IF_MATCH, ETAG],
        request=BulkChange,
        responses=BulkAnswer,
        examples=[BULK_CHANGE],
    )
    def post(self, request: Request, installation_id: UUID) -> Response:
        """One change for every event that the filter lets through, in the draft. Needs `config.edit`.

        Wishes that would loosen privacy or leave the floor are left out, and told; 409 if nothing is left to change.
        """
        installation = installation_for(request, "config.edit", installation_id)
        published, draft = _seen(request, installation)
        wanted = decode_body(request, BulkChange)
        result = edit_in_bulk(
            actor=actor_of(request),
            installation=installation,
            chosen=wanted.filter,
            edit=wanted.change,
            expected_checksum=None if draft is None else draft.checksum,
        )
        answer = BulkAnswer(
            draft=write_config(result.draft), changed=result.changed, left_out=write_left_out(result.refused)
        )
        return Response(answer, headers={"ETag": state_tag(published, result.draft)})


class UndoView(ApiView):
    """``/api/v1/installations/{id}/config/undo``."""

    @extend_schema(
        operation_id="undoInstallationConfig", parameters=[IF_MATCH, ETAG], request=None, responses=UndoAnswer
    )
    def post(self, request: Request, installation_id: UUID) -> Response:
        """The draft says what it said before its last change. Needs `config.edit`; 409 if there is nothing to undo."""
        installation = installation_for(request, "config.edit", installation_id)
        published, draft = _seen(request, installation)
        if draft is None:
            raise Conflict("there is nothing to undo")
        step = undo_draft_change(actor=actor_of(request), installation=installation, expected_checksum=draft.checksum)
        draft.refresh_from_db()
        answer = UndoAnswer(draft=write_config(draft), undone=step.deed)
        return Response(answer, headers={"ETag": state_tag(published, draft)})


class PromotionView(ApiView):
    """``/api/v1/installations/{id}/config/promote``."""

    queries = {"GET": PromotionQuery}

    @extend_schema(
        operation_id="previewInstallationPromotion", parameters=parameters_of(PromotionQuery), responses=PromotionPlan
    )
    def get(self, request: Request, installation_id: UUID) -> Response:
        """What taking over another environment's override would change here. Needs the ability `view` in the tenant."""
        query = read_query(request, PromotionQuery)
        installation = installation_for(request, "view", installation_id)
        if query.source is None:
            raise InvalidDocument([FieldError("missing_key", "from", "is required")], what="query")
        plan = plan_promotion(_source(request, query.source), installation, number=query.number)
        live = published_config(installation)
        before = TenantOverride() if live is None else override_of(live)
        return Response(
            PromotionPlan(
                number=plan.source.number,
                override=plan.override,
                left_out=write_left_out(plan.left_out),
                changes=write_override_changes(compare_overrides(installation, before, plan.override)),
            )
        )

    @extend_schema(
        operation_id="promoteInstallationConfig",
        parameters=[IF_MATCH, ETAG],
        request=ConfigPromotion,
        responses=PromotionAnswer,
        examples=[CONFIG_PROMOTION],
    )
    def post(self, request: Request, installation_id: UUID) -> Response:
        """The draft says what another environment's override says, as far as it may here. Needs `config.edit`."""
        installation = installation_for(request, "config.edit", installation_id)
        published, draft = _seen(request, installation)
        wanted = decode_body(request, ConfigPromotion)
        taken, promotion = promote_override(
            actor=actor_of(request),
            source=_source(request, wanted.source),
            target=installation,
            number=wanted.number,
            expected_checksum=None if draft is None else draft.checksum,
        )
        answer = PromotionAnswer(draft=write_config(taken), left_out=write_left_out(promotion.left_out))
        return Response(answer, headers={"ETag": state_tag(published, taken)})


def _seen(request: Request, installation: Installation) -> tuple[TenantAppConfig | None, TenantAppConfig | None]:
    """What is live and what is drafted, if the caller has seen it: a draft is changed by those only who have."""
    published, draft = published_config(installation), draft_config(installation)
    if draft is not None or "If-Match" in request.headers:
        require_match(request, state_tag(published, draft))
    return published, draft


def _source(request: Request, public_id: UUID) -> Installation:
    installation = installation_by_public_id(public_id)
    require(actor_of(request), "view", installation.tenant_id)
    return installation
