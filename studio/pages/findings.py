"""What lint says about a draft, and what each rule asks for."""

from itertools import groupby
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
from telemetry.core.lint import OPTIONAL_RULES, RULES, Finding
from telemetry.core.spec import TelemetrySpec
from telemetry.core.validation import check_spec
from telemetry.mappers import spec_from_records
from telemetry.models import SpecRecord
from telemetry.services.linting import lint_as_draft
from tenants.actors import require_somewhere

__all__ = ["ShownFinding", "findings", "lint_rules", "severity_chip", "shown_findings"]

PAGE_SIZE: Final = 50
# The worst first, as people should read them.
SEVERITIES: Final = (Severity.ERROR, Severity.WARNING, Severity.INFO)
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
    draft = spec_from_records(record)
    context: dict[str, Any] = {"head": spec_head(request, record, "findings"), "is_broken": bool(check_spec(draft))}
    if not context["is_broken"]:
        found = lint_as_draft(draft, record)
        chosen = request.GET.get("severity", "")
        picked = [each for each in found if chosen not in set(Severity) or each.severity == chosen]
        page = Paginator(_worst_first(picked), PAGE_SIZE).get_page(request.GET.get("page"))
        context |= {
            "total": len(found),
            "filters": _filters(found, chosen),
            "chosen": chosen,
            "findings": shown_findings(record, draft, page.object_list),
            "page": page,
            "query": urlencode({"severity": chosen}) if chosen else "",
        }
    template = "studio/pages/findings.html"
    return render_page(request, template, noun=SpecRecord, title="Findings", row=record, **context)


def shown_findings(record: SpecRecord, draft: TelemetrySpec, found: Any) -> list[ShownFinding]:
    """The findings with their ways; one query, none if no finding is about an event."""
    events = [_event(draft, each) for each in found]
    addresses = event_addresses(record, [event for event in events if event])
    return [
        ShownFinding(
            each,
            event,
            each.path_in_event,
            addresses.get(event, address_of(record)),
            f"{reverse('lint_rules')}#{each.rule}",
        )
        for each, event in zip(found, events, strict=True)
    ]


def lint_rules(request: HttpRequest) -> HttpResponse:
    """Every rule by theme: what holds where it is followed, and what to do where it is not."""
    require_somewhere(actor_of(request), "view")
    themes = [(theme, list(rules)) for theme, rules in groupby(RULES.values(), key=lambda rule: rule.theme)]
    context: dict[str, Any] = {"themes": themes, "optional": frozenset(OPTIONAL_RULES), "count": len(RULES)}
    return render_page(request, "studio/pages/lint_rules.html", noun=SpecRecord, title="Lint rules", **context)


def _worst_first(found: list[Finding]) -> list[Finding]:
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
