"""The override of an installation: its draft, its versions, what is live."""

from uuid import UUID

import msgspec
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.etags import require_match
from studio.api.pages import page_of
from studio.api.parsers import JsonParser, YamlParser, decode_body
from studio.api.queries import read_query
from studio.api.schema import parameters_of
from studio.api.shapes import PageQuery
from studio.api.v1.base import ApiView
from studio.api.v1.examples import CONFIG_PUBLICATION, CONFIG_ROLLBACK, OVERRIDE
from studio.api.v1.installations.serializers import (
    ConfigPublication,
    ConfigRollback,
    ConfigState,
    ConfigStateQuery,
    ConfigVersion,
    ConfigVersionItem,
    ConfigVersionPage,
    summarise,
    write_config,
    write_config_item,
)
from telemetry.core.config import TenantOverride
from telemetry.core.errors import Conflict
from telemetry.services.configs import effective_config
from telemetry.services.explanations import explain_installation
from telemetry.services.overrides import publish_override, rollback_override, save_override
from tenants.actors import require
from tenants.models import Installation, TenantAppConfig
from tenants.selectors import (
    config_by_number,
    config_versions,
    draft_config,
    installation_by_public_id,
    published_config,
)

__all__ = [
    "ETAG",
    "IF_MATCH",
    "ConfigPublicationView",
    "ConfigRollbackView",
    "ConfigStateView",
    "ConfigVersionsView",
    "installation_for",
    "state_tag",
]

ETAG = OpenApiParameter(
    "ETag",
    str,
    OpenApiParameter.HEADER,
    response=[200],
    description="The state of draft and live version, for If-Match.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag of the state that was read: 428 without while there is a draft, 412 for another state.",
)


class ConfigStateView(ApiView):
    """``/api/v1/installations/{id}/config``."""

    parser_classes = [JsonParser, YamlParser]
    queries = {"GET": ConfigStateQuery}

    @extend_schema(
        operation_id="getInstallationConfig", parameters=[*parameters_of(ConfigStateQuery), ETAG], responses=ConfigState
    )
    def get(self, request: Request, installation_id: UUID) -> Response:
        """The override that is live, the draft, and what holds in short. Needs the ability `view` in the tenant."""
        query = read_query(request, ConfigStateQuery)
        installation = installation_for(request, "view", installation_id)
        published, draft = published_config(installation), draft_config(installation)
        state = _state(installation, published, draft)
        if query.explain and state.effective is not None:
            state = msgspec.structs.replace(state, explanation=explain_installation(installation).leaves())
        return Response(state, headers={"ETag": state_tag(published, draft)})

    @extend_schema(
        operation_id="saveInstallationConfig",
        parameters=[IF_MATCH, ETAG],
        request=TenantOverride,
        responses=ConfigVersion,
        examples=[OVERRIDE],
    )
    def put(self, request: Request, installation_id: UUID) -> Response:
        """The draft holds the whole override, JSON or YAML; nothing changes for apps. Needs `config.edit`.

        400 with the path of each wish that does not fit the spec, or would loosen privacy or leave the floor.
        """
        installation = installation_for(request, "config.edit", installation_id)
        published, draft = published_config(installation), draft_config(installation)
        if draft is not None or "If-Match" in request.headers:
            require_match(request, state_tag(published, draft))
        saved = save_override(
            actor=actor_of(request),
            installation=installation,
            override=decode_body(request, TenantOverride, what="tenant override"),
            expected_checksum=None if draft is None else draft.checksum,
        )
        return Response(write_config(saved), headers={"ETag": state_tag(published, saved)})


class ConfigPublicationView(ApiView):
    """``/api/v1/installations/{id}/config/publish``."""

    @extend_schema(
        operation_id="publishInstallationConfig",
        request=ConfigPublication,
        responses=ConfigVersionItem,
        examples=[CONFIG_PUBLICATION],
    )
    def post(self, request: Request, installation_id: UUID) -> Response:
        """The draft is live, and apps get a new config. Needs `config.publish`; 409 `stale_revision` after a change."""
        installation = installation_for(request, "config.publish", installation_id)
        publication = decode_body(request, ConfigPublication)
        published = publish_override(
            actor=actor_of(request),
            config=config_by_number(installation, publication.number),
            change_summary=publication.change_summary,
            expected_checksum=publication.expected_checksum,
            expected_published_number=publication.expected_published_number,
            ends_at=publication.ends_at,
        )
        return Response(write_config_item(published))


class ConfigRollbackView(ApiView):
    """``/api/v1/installations/{id}/config/rollback``."""

    @extend_schema(
        operation_id="rollBackInstallationConfig",
        request=ConfigRollback,
        responses=ConfigVersionItem,
        examples=[CONFIG_ROLLBACK],
    )
    def post(self, request: Request, installation_id: UUID) -> Response:
        """A superseded override is live again, as a new version. Needs `config.publish`."""
        installation = installation_for(request, "config.publish", installation_id)
        rollback = decode_body(request, ConfigRollback)
        restored = rollback_override(
            actor=actor_of(request),
            installation=installation,
            number=rollback.number,
            change_summary=rollback.change_summary,
            expected_published_number=rollback.expected_published_number,
        )
        return Response(write_config_item(restored))


class ConfigVersionsView(ApiView):
    """``/api/v1/installations/{id}/config/versions``."""

    queries = {"GET": PageQuery}

    @extend_schema(
        operation_id="listInstallationConfigs", parameters=parameters_of(PageQuery), responses=ConfigVersionPage
    )
    def get(self, request: Request, installation_id: UUID) -> Response:
        """All versions of the override, newest first. Needs the ability `view` in the tenant."""
        installation = installation_for(request, "view", installation_id)
        query = read_query(request, PageQuery)
        return Response(page_of(config_versions(installation), query, write_config_item))


def installation_for(request: Request, ability: str, public_id: UUID) -> Installation:
    """The installation, once the caller is known to have the ability in its tenant."""
    installation = installation_by_public_id(public_id)
    require(actor_of(request), ability, installation.tenant_id)
    return installation


def state_tag(published: TenantAppConfig | None, draft: TenantAppConfig | None) -> str:
    """The tag of what is live and what is drafted."""
    return f'"{draft.checksum if draft else "none"}-{published.number if published else 0}"'


def _state(installation: Installation, published: TenantAppConfig | None, draft: TenantAppConfig | None) -> ConfigState:
    effective, problem = None, ""
    try:
        effective = summarise(effective_config(installation))
    except Conflict as error:
        problem = error.message
    return ConfigState(
        published=None if published is None else write_config(published),
        draft=None if draft is None else write_config(draft),
        effective=effective,
        problem=problem,
    )
