"""The draft of a spec as one document."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.etags import has_current, require_match, revision_tag
from studio.api.parsers import JsonParser, YamlParser, body_of, decode_body
from studio.api.renderers import JsonRenderer, YamlRenderer
from studio.api.v1.base import ApiView
from studio.api.v1.examples import SPEC, SPEC_PUBLICATION
from studio.api.v1.specs.lint import SavedSpec, write_saved_spec
from studio.api.v1.specs.serializers import SpecPublication, SpecVersionItem, write_version
from telemetry.core.spec import TelemetrySpec
from telemetry.mappers import spec_from_records
from telemetry.selectors.specs import spec_by_name
from telemetry.services.publishing import publish_version
from telemetry.services.specs import replace_draft
from tenants.actors import require

__all__ = ["DraftView", "PublicationView"]

ETAG = OpenApiParameter(
    "ETag",
    str,
    OpenApiParameter.HEADER,
    response=[200],
    description="The revision of the draft, for If-Match.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="The ETag of the draft that was edited; 428 without, 412 when it is not the current one.",
)


class DraftView(ApiView):
    """``/api/v1/specs/{name}/draft``."""

    parser_classes = [JsonParser, YamlParser]
    renderer_classes = [JsonRenderer, YamlRenderer]

    @extend_schema(operation_id="getDraft", parameters=[ETAG], responses=TelemetrySpec)
    def get(self, request: Request, name: str) -> Response:
        """The whole draft, as JSON or YAML by the header `Accept`. Needs the ability `view` in the workspace."""
        require(actor_of(request), "view")
        record = spec_by_name(name)
        headers = {"ETag": revision_tag(record.draft_revision)}
        if has_current(request, headers["ETag"]):
            return Response(status=304, headers=headers)
        return Response(spec_from_records(record), headers=headers)

    @extend_schema(
        operation_id="replaceDraft",
        parameters=[IF_MATCH, ETAG],
        request=TelemetrySpec,
        responses=SavedSpec,
        examples=[SPEC],
    )
    def put(self, request: Request, name: str) -> Response:
        """The draft says what the whole document says, JSON or YAML; events that it leaves out are gone.

        Needs the ability `spec.edit`. The document's version becomes the next one to be published. The answer has what
        lint says about it; nothing of that keeps the draft from being saved.
        """
        actor = actor_of(request)
        require(actor, "spec.edit")
        revision = spec_by_name(name).draft_revision
        require_match(request, revision_tag(revision))
        body = body_of(request)
        record = replace_draft(
            actor=actor, name=name, document=body.content, format=body.notation, expected_revision=revision
        )
        headers = {"ETag": revision_tag(record.draft_revision)}
        return Response(write_saved_spec(spec_by_name(name)), headers=headers)


class PublicationView(ApiView):
    """``/api/v1/specs/{name}/publish``."""

    @extend_schema(
        operation_id="publishSpec", request=SpecPublication, responses=SpecVersionItem, examples=[SPEC_PUBLICATION]
    )
    def post(self, request: Request, name: str) -> Response:
        """The draft is frozen as the published version, and every config that is bound to it has changed.

        Needs the ability `spec.publish`. 409 `stale_revision` if the draft was changed since `expectedRevision`, and
        `approval_required` with the places that somebody else has to approve first.
        """
        actor = actor_of(request)
        require(actor, "spec.publish")
        publication = decode_body(request, SpecPublication)
        version = publish_version(
            actor=actor,
            name=name,
            expected_revision=publication.expected_revision,
            change_summary=publication.change_summary,
        )
        return Response(write_version(version))
