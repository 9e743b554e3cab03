"""The inbox of proposals: what the Regenerator suggests, to search and to narrow down."""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse, QueryDict

from studio.pages.proposal_words import confidence_chip, outcome_chip, proposal_chip
from studio.pages.queries import page_of_rows, public_id, without
from studio.pages.shell import render_page
from studio.pages.violation_words import installation_words
from telemetry.core.proposals import PROPOSAL_RULES
from telemetry.models import Proposal, ProposalStatus
from telemetry.selectors.proposals import ProposalFilter, proposals

__all__ = ["proposals_page"]

PAGE_SIZE: Final = 25
STATE_WORDS: Final = {
    "": "Waiting for somebody",
    **{status.value: str(status.label) for status in ProposalStatus if status is not ProposalStatus.PENDING},
    "all": "All",
}


def proposals_page(request: HttpRequest) -> HttpResponse:
    """The proposals that are looked for, what spoke last first."""
    page = page_of_rows(proposals(_wanted(request.GET)), request.GET, PAGE_SIZE)
    rows = [
        {
            "row": row,
            "state": proposal_chip(row),
            "outcome": outcome_chip(row.outcome),
            "confidence": confidence_chip(row.confidence),
            "target": row.spec_name if row.installation is None else installation_words(row.installation),
        }
        for row in page.object_list
    ]
    context: dict[str, Any] = {
        "page": page,
        "rows": rows,
        "query": without(request.GET, "page").urlencode(),
        "asked": request.GET,
        "states": STATE_WORDS.items(),
        "rules": [(name, rule.description) for name, rule in PROPOSAL_RULES.items()],
        "is_narrowed": any(value for name, value in request.GET.items() if name != "page"),
    }
    return render_page(
        request, "studio/pages/proposals.html", noun=Proposal, title="Proposals", page_title="", **context
    )


def _wanted(query: QueryDict) -> ProposalFilter:
    """What the address asks for; what no proposal can have is left out."""
    state = query.get("state", "")
    states = tuple(ProposalStatus) if state == "all" else tuple(s for s in ProposalStatus if s.value == state)
    rule = query.get("rule", "")
    return ProposalFilter(
        text=query.get("q", "")[:200],
        rule=rule if rule in PROPOSAL_RULES else "",
        spec=query.get("spec", "")[:128],
        installation=public_id(query.get("installation")),
        states=states,
    )
