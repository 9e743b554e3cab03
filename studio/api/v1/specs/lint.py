"""What lint says about a draft, about any document, and about what was just saved."""

from collections.abc import Iterable
from typing import Annotated, Final

import msgspec
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.parsers import JsonParser, YamlParser, decode_body
from studio.api.queries import read_query
from studio.api.schema import parameters_of
from studio.api.shapes import Page, PageQuery, Shape
from studio.api.v1.base import ApiView
from studio.api.v1.examples import SPEC
from studio.api.v1.specs.serializers import SpecItem, write_spec
from telemetry.core.layers import event_reference
from telemetry.core.lint import OPTIONAL_RULES, RULES, Finding, Severity
from telemetry.core.spec import TelemetrySpec
from telemetry.core.validation import validate_spec
from telemetry.models import SpecRecord
from telemetry.selectors.draft_states import DraftState
from telemetry.selectors.specs import spec_by_name
from telemetry.services.linting import lint_as_draft, lint_document
from tenants.actors import require, require_somewhere

__all__ = [
    "DocumentLintView",
    "DraftLintView",
    "FindingItem",
    "FindingPage",
    "LintQuery",
    "LintRuleItem",
    "LintRuleList",
    "LintRulesView",
    "LintSummary",
    "SavedSpec",
    "write_saved_spec",
]

# As many as the largest page of a list has; the address of the draft's findings has the rest.
MOST_BESIDE_SAVED: Final = 100
_SEVERITIES: Final = tuple(Severity)


class LintQuery(PageQuery, frozen=True, kw_only=True):
    """Which findings: all, or those of one severity or one rule."""

    severity: Severity | None = None
    rule: Annotated[str, msgspec.Meta(max_length=64, description="The name of a rule.")] | None = None


class FindingItem(Shape, frozen=True, kw_only=True):
    """One place where the spec does not follow a rule; ``event`` is the event by name and version, if one."""

    rule: str
    severity: Severity
    path: str
    event: str | None
    message: str
    hint: str


class FindingPage(Page[FindingItem], frozen=True, kw_only=True):
    """Some of the findings, in the order of the document; the numbers by severity count all of them."""

    errors: int
    warnings: int
    infos: int


class LintSummary(Shape, frozen=True, kw_only=True):
    """How many findings there are, and the first hundred of them, the worst first."""

    errors: int
    warnings: int
    infos: int
    findings: tuple[FindingItem, ...]


class SavedSpec(SpecItem, frozen=True, kw_only=True):
    """A spec whose draft was just saved, and what lint says about it."""

    lint: LintSummary


class LintRuleItem(Shape, frozen=True, kw_only=True):
    """One rule; an event may opt out of it if it ``isOptional``."""

    name: str
    theme: str
    severity: Severity
    summary: str
    hint: str
    is_optional: bool


class LintRuleList(Shape, frozen=True, kw_only=True):
    """All rules by theme."""

    items: tuple[LintRuleItem, ...]


class DraftLintView(ApiView):
    """``/api/v1/specs/{name}/lint``."""

    queries = {"GET": LintQuery}

    @extend_schema(operation_id="lintDraft", parameters=parameters_of(LintQuery), responses=FindingPage)
    def get(self, request: Request, name: str) -> Response:
        """What lint says about the spec's draft today: the findings that the studio's pages show.

        Needs the ability `view` in the workspace. Errors keep the draft from being published.
        """
        require(actor_of(request), "view")
        query = read_query(request, LintQuery)
        state = DraftState(spec_by_name(name))
        validate_spec(state.draft)
        return Response(_page(query, state.draft, lint_as_draft(state.draft, state)))


class DocumentLintView(ApiView):
    """``/api/v1/lint``."""

    parser_classes = [JsonParser, YamlParser]
    queries = {"POST": LintQuery}

    @extend_schema(
        operation_id="lintDocument",
        parameters=parameters_of(LintQuery),
        request=TelemetrySpec,
        responses=FindingPage,
        examples=[SPEC],
    )
    def post(self, request: Request) -> Response:
        """What lint would say about the document, JSON or YAML, if it were the draft of its name; nothing is saved.

        Needs the ability `view` in the workspace. A document that breaks rules of the format is refused before: 400
        `invalid_document`.
        """
        require(actor_of(request), "view")
        query = read_query(request, LintQuery)
        spec = decode_body(request, TelemetrySpec, what="telemetry spec")
        return Response(_page(query, spec, lint_document(spec)))


class LintRulesView(ApiView):
    """``/api/v1/lint-rules``."""

    @extend_schema(operation_id="listLintRules", responses=LintRuleList)
    def get(self, request: Request) -> Response:
        """Every rule of lint, by theme. For everybody with a role."""
        require_somewhere(actor_of(request), "view")
        rules = (
            LintRuleItem(**{field: getattr(rule, field) for field in _RULE_FIELDS}, is_optional=name in OPTIONAL_RULES)
            for name, rule in RULES.items()
        )
        return Response(LintRuleList(items=tuple(rules)))


_RULE_FIELDS: Final = ("name", "theme", "severity", "summary", "hint")


def write_saved_spec(record: SpecRecord) -> SavedSpec:
    """The row of ``telemetry.selectors.specs.spec_by_name``, whose draft was just saved and is valid; three queries."""
    state = DraftState(record)
    draft, found = state.draft, lint_as_draft(state.draft, state)
    worst_first = sorted(found, key=lambda finding: _SEVERITIES.index(finding.severity))[:MOST_BESIDE_SAVED]
    shown = tuple(_write(draft, finding) for finding in worst_first)
    summary = LintSummary(**_numbers(found), findings=shown)
    return SavedSpec(**msgspec.structs.asdict(write_spec(record)), lint=summary)


def _page(query: LintQuery, spec: TelemetrySpec, found: tuple[Finding, ...]) -> FindingPage:
    picked = [
        finding
        for finding in found
        if query.severity in (None, finding.severity) and query.rule in (None, finding.rule)
    ]
    start = (query.page - 1) * query.page_size
    return FindingPage(
        page=query.page,
        page_size=query.page_size,
        total=len(picked),
        items=tuple(_write(spec, finding) for finding in picked[start : start + query.page_size]),
        **_numbers(found),
    )


def _numbers(found: Iterable[Finding]) -> dict[str, int]:
    severities = [finding.severity for finding in found]
    return {f"{severity.value}s": severities.count(severity) for severity in Severity}


def _write(spec: TelemetrySpec, finding: Finding) -> FindingItem:
    event = None if finding.event_index is None else spec.events[finding.event_index]
    return FindingItem(
        rule=finding.rule,
        severity=finding.severity,
        path=finding.path,
        event=None if event is None else event_reference(event.name, event.version),
        message=finding.message,
        hint=finding.hint,
    )
