"""What changed between two states of a spec."""

from typing import Annotated, Any, Final, Literal

import msgspec
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.queries import read_query
from studio.api.schema import parameters_of
from studio.api.shapes import Page, PageQuery, Shape
from studio.api.v1.base import ApiView
from telemetry.core.diff import Change, SpecDiff
from telemetry.core.enums import ChangeClass
from telemetry.core.errors import UnknownSpec
from telemetry.selectors.specs import spec_by_name
from telemetry.services.comparisons import compare_states
from tenants.actors import require, require_somewhere

__all__ = ["ChangeItem", "DiffPage", "DiffQuery", "DiffView"]

DRAFT: Final = "draft"
Version = Annotated[int, msgspec.Meta(ge=1, le=2_147_483_647, description="a version; without it, the published one")]
# As long as a version in an address.
State = Annotated[
    str,
    msgspec.Meta(pattern=r"^(draft|[1-9][0-9]{0,8})(?!\n)$", description="a version, such as 2, or draft"),
]


class DiffQuery(PageQuery, frozen=True, kw_only=True):
    """Which two states, by default the published version and the draft, and changes of which class."""

    before: Version | None = msgspec.field(name="from", default=None)
    after: State = msgspec.field(name="to", default=DRAFT)
    severity: ChangeClass | None = None


class ChangeItem(Shape, frozen=True, kw_only=True):
    """One place at which the two states differ; `before` and `after` are null where there is nothing.

    ``rule`` decides ``severity``, ``reason`` says why; ``event`` is the event by name and version, if one.
    """

    path: str
    rule: str
    severity: ChangeClass
    reason: str
    message: str
    event: str | None
    before: Any
    after: Any


class DiffPage(Page[ChangeItem], frozen=True, kw_only=True):
    """Some of the changes, in the order of the document; the numbers by class count all of them."""

    before: int = msgspec.field(name="from")
    after: int | Literal["draft"] = msgspec.field(name="to")
    worst: ChangeClass | None
    breaking: int
    risky: int
    safe: int


class DiffView(ApiView):
    """``/api/v1/specs/{name}/diff``."""

    queries = {"GET": DiffQuery}

    @extend_schema(operation_id="getDiff", parameters=parameters_of(DiffQuery), responses=DiffPage)
    def get(self, request: Request, name: str) -> Response:
        """Every change from one version of the spec to another, or to the draft, each classed by its rule.

        Versions are for everybody with a role, the draft needs the ability `view` in the workspace. Without `from`,
        the published version is compared; 404 `unknown_spec` while there is none.
        """
        query = read_query(request, DiffQuery)
        after = None if query.after == DRAFT else int(query.after)
        if after is None:
            require(actor_of(request), "view")
        else:
            require_somewhere(actor_of(request), "view")
        record = spec_by_name(name)
        before = query.before or record.published_version
        if before is None:
            raise UnknownSpec(f"the spec {record.name} has no published version to compare with")
        return Response(_page(query, compare_states(record, before, after), before, after))


def _page(query: DiffQuery, diff: SpecDiff, before: int, after: int | None) -> DiffPage:
    changes = [change for change in diff.changes if query.severity in (None, change.severity)]
    start = (query.page - 1) * query.page_size
    return DiffPage(
        page=query.page,
        page_size=query.page_size,
        total=len(changes),
        items=tuple(_write(change) for change in changes[start : start + query.page_size]),
        before=before,
        after=DRAFT if after is None else after,
        worst=diff.worst,
        breaking=len(diff.breaking),
        risky=len(diff.risky),
        safe=len(diff.safe),
    )


def _write(change: Change) -> ChangeItem:
    return ChangeItem(
        path=change.path,
        rule=change.rule,
        severity=change.severity,
        reason=change.reason,
        message=change.message,
        event=change.event,
        before=change.before,
        after=change.after,
    )
