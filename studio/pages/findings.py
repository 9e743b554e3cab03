"""What lint says about a draft."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from studio import markup
from studio.addresses import address_of
from studio.pages.changes import event_addresses
from studio.pages.shell import render_page
from studio.pages.spec_head import spec_head, spec_or_404
from studio.people import actor_of
from telemetry.core.enums import Severity
from telemetry.core.layers import event_reference
from telemetry.core.lint import Finding
from telemetry.core.spec import TelemetrySpec
from telemetry.core.validation import check_spec
from telemetry.models import SpecRecord
from telemetry.selectors.draft_states import DraftState
from telemetry.services.linting import lint_as_draft

__all__ = [
    "SEVERITY_WORDS",
    "ShownFinding",
    "findings",
    "rule_address",
    "severity_chip",
    "shown_findings",
    "worst_first",
]

PAGE_SIZE: Final = 50
# The worst first, as people should read them.
SEVERITY_WORDS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "hint"}
SEVERITIES: Final = tuple(SEVERITY_WORDS)
TONES: Final = {Severity.ERROR: "red", Severity.WARNING: "amber", Severity.INFO: "blue"}


class ShownFinding(NamedTuple):
    """A finding with the event that it is about, if it is about one, the place in it, and where it can be put right."""

    finding: Finding
    event: str
    place: str
    address: str
    rule_address: str


def severity_chip(severity: str) -> SafeString:
    """How much a finding matters, the same everywhere."""
    known = Severity(severity)
    return markup.chip(known.value, TONES[known])


def findings(request: HttpRequest, spec_id: int) -> HttpResponse:
    """Everything that lint finds in the draft today, the worst first."""
    record = spec_or_404(actor_of(request), spec_id)
    state = DraftState(record)
    broken = bool(check_spec(state.draft))
    context: dict[str, Any] = {"head": spec_head(request, state, "findings"), "is_broken": broken}
    if not broken:
        found = lint_as_draft(state.draft, state)
        chosen = request.GET.get("severity", "")
        picked = [each for each in found if chosen not in set(Severity) or each.severity == chosen]
        page = Paginator(worst_first(picked), PAGE_SIZE).get_page(request.GET.get("page"))
        context |= {
            "total": len(found),
            "filters": _filters(found, chosen),
            "chosen": chosen,
            "findings": shown_findings(record, state.draft, page.object_list),
            "page": page,
            "query": urlencode({"severity": chosen}) if chosen else "",
        }
    template = "studio/pages/findings.html"
    return render_page(request, template, noun=SpecRecord, title="Findings", row=record, **context)


def shown_findings(record: SpecRecord | None, spec: TelemetrySpec, found: Iterable[Finding]) -> list[ShownFinding]:
    """The findings with their ways, which a spec without a row does not have yet.

    One query, none if no finding is about an event.
    """
    named = [(each, _event(spec, each)) for each in found]
    addresses = {} if record is None else event_addresses(record, [event for _, event in named if event])
    of_spec = "" if record is None else address_of(record)
    return [
        ShownFinding(each, event, each.path_in_event, addresses.get(event, of_spec), rule_address(each.rule))
        for each, event in named
    ]


def rule_address(rule: str) -> str:
    """Where the rule is explained."""
    return reverse("lint_rule", args=[rule])


def worst_first(found: Iterable[Finding]) -> list[Finding]:
    """Errors before warnings before advice; each in the order of the document."""
    return sorted(found, key=lambda each: SEVERITIES.index(each.severity))


def _event(draft: TelemetrySpec, finding: Finding) -> str:
    if finding.event_index is None:
        return ""
    event = draft.events[finding.event_index]
    return event_reference(event.name, event.version)


def _filters(found: tuple[Finding, ...], chosen: str) -> list[tuple[str, int, str, bool]]:
    """Each severity with its number, address, and whether it is chosen."""
    return [
        ("all", len(found), "?", chosen not in set(Severity)),
        *(
            (each.value, sum(one.severity is each for one in found), f"?severity={each.value}", chosen == each)
            for each in SEVERITIES
        ),
    ]
