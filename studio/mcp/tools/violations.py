"""Asking about violations: how incoming events break their contracts."""

from typing import Annotated, Final

import msgspec

from studio.api.auth import Caller
from studio.api.pages import page_of
from studio.api.shapes import Page, PageQuery, Shape
from studio.api.v1.violations.serializers import (
    State,
    ViolationDetail,
    ViolationItem,
    write_detail,
    write_violation,
)
from studio.mcp.tool import Tool
from studio.mcp.tools.places import Place, installation_at
from telemetry.core.enums import ViolationCode
from telemetry.models import ViolationState
from telemetry.selectors.violations import ViolationFilter, violation_by_id, violations
from tenants.actors import require, require_somewhere

__all__ = ["TOOLS"]


class ViolationSearch(PageQuery, frozen=True, kw_only=True):
    """Which violations: those that fit everything that is given; without `state`, those that wait for somebody."""

    installation: Place | None = None
    event: Annotated[str, msgspec.Meta(max_length=200)] = ""
    search: Annotated[str, msgspec.Meta(max_length=200, description="Part of an event's name or of a place.")] = ""
    code: ViolationCode | None = None
    state: tuple[State, ...] = ()


class ViolationsFound(Page[ViolationItem], frozen=True, kw_only=True):
    """Some of the violations, what came last first."""


class ViolationQuestion(Shape, frozen=True, kw_only=True):
    """Which violation."""

    id: Annotated[int, msgspec.Meta(ge=1, le=999_999_999)]


def list_violations(caller: Caller, asked: ViolationSearch) -> ViolationsFound:
    """The groups of the tenants in which the caller has a role."""
    require_somewhere(caller.actor, "view")
    place = None if asked.installation is None else installation_at(caller, asked.installation, "view").public_id
    wanted = ViolationFilter(
        text=asked.search,
        installation=place,
        event=asked.event,
        code="" if asked.code is None else asked.code.value,
        states=tuple(ViolationState(state) for state in asked.state),
    )
    found = page_of(violations(wanted), asked, write_violation)
    return ViolationsFound(page=found.page, page_size=found.page_size, total=found.total, items=found.items)


def get_violation(caller: Caller, asked: ViolationQuestion) -> ViolationDetail:
    """One group, by day, with the outline of such an event."""
    violation = violation_by_id(asked.id)
    require(caller.actor, "view", violation.tenant_id)
    return write_detail(violation)


TOOLS: Final = (
    Tool(
        name="list_violations",
        title="List violations",
        description="How incoming events are not as planned: by event, place, kind and version of the app, with exact "
        "counts. No value of an event is told.",
        arguments=ViolationSearch,
        answer_type=ViolationsFound,
        answer=list_violations,
    ),
    Tool(
        name="get_violation",
        title="Get a violation",
        description="One violation by day, with the outline of the first such event: names, types and sizes.",
        arguments=ViolationQuestion,
        answer_type=ViolationDetail,
        answer=get_violation,
    ),
)
