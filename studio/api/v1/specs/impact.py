"""What publishing a draft would do to the installations that are bound to its spec."""

from typing import Literal
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.queries import read_query
from studio.api.schema import parameters_of
from studio.api.shapes import Page, PageQuery, Shape
from studio.api.v1.base import ApiView
from telemetry.core.blast_radius import InstallationImpact
from telemetry.services.blast_radius import impact_of_draft
from telemetry.services.impact_reports import AffectedInstallation, ImpactKind

__all__ = ["AffectedItem", "ImpactPage", "ImpactQuery", "ImpactTotals", "ImpactView", "write_affected"]


class ImpactQuery(PageQuery, frozen=True, kw_only=True):
    """Which installations: all to which something happens, or those to which one thing does."""

    kind: Literal["orphaned", "contradictory", "below_floor", "changed"] | None = None


class ImpactTotals(Shape, frozen=True, kw_only=True):
    """Numbers of installations looked at; ``orphaned`` to ``changed`` may overlap, ``affected`` counts once.

    Those ``pinned`` to a version are not affected by a new one, those ``unbound`` have no config; ``unexamined`` ones
    differ in too many ways to be looked at.
    """

    installations: int
    pinned: int
    unbound: int
    unaffected: int
    affected: int
    orphaned: int
    contradictory: int
    below_floor: int
    changed: int
    unexamined: int


class AffectedItem(Shape, frozen=True, kw_only=True):
    """An installation and what happens to it; ``alike`` counts those to which the very same happens."""

    installation: UUID
    tenant: str
    app: str
    environment: str
    alike: int
    impact: InstallationImpact


class ImpactPage(Page[AffectedItem], frozen=True, kw_only=True):
    """Some of the installations, those with problems first; ``distinct`` counts the impacts that differ."""

    summary: ImpactTotals
    distinct: int


class ImpactView(ApiView):
    """``/api/v1/specs/{name}/impact``."""

    queries = {"GET": ImpactQuery}

    @extend_schema(operation_id="getImpact", parameters=parameters_of(ImpactQuery), responses=ImpactPage)
    def get(self, request: Request, name: str) -> Response:
        """What publishing the draft as it is now would do to each installation: nothing is changed by asking.

        Overrides that name what vanishes, contradict the draft or fall short of their floor come first; then what
        configs gain and lose. Needs the ability `view` in the workspace.
        """
        query = read_query(request, ImpactQuery)
        report = impact_of_draft(
            actor=actor_of(request),
            spec_name=name,
            kind=None if query.kind is None else ImpactKind(query.kind),
            page=query.page,
            page_size=query.page_size,
        )
        page = ImpactPage(
            page=query.page,
            page_size=query.page_size,
            total=report.total,
            items=tuple(write_affected(item) for item in report.items),
            summary=ImpactTotals(**report.summary._asdict()),
            distinct=report.distinct,
        )
        return Response(page)


def write_affected(item: AffectedInstallation) -> AffectedItem:
    """No query."""
    return AffectedItem(
        installation=item.public_id,
        tenant=item.tenant,
        app=item.app,
        environment=item.environment,
        alike=item.alike,
        impact=item.impact,
    )
