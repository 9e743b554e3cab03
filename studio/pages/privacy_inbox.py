"""The privacy inbox: what detectors recognised in events, waiting for somebody to decide."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.safestring import SafeString

from studio.pages.finding_words import DETECTOR_WORDS, detector_chip, share_words, suggestion_words
from studio.pages.queries import page_number, public_id, without
from studio.pages.shell import render_page
from telemetry.detection.detector import Detector
from telemetry.models import FindingState, PrivacyFinding
from telemetry.selectors.privacy_findings import FindingFilter, InboxRow, counts_by_state, inbox, inbox_row

__all__ = ["privacy_inbox"]

PAGE_SIZE: Final = 50


class ShownRow(NamedTuple):
    """A row of the inbox."""

    row: InboxRow
    place: str
    detector: SafeString
    share: str
    suggestion: str


class StateChoice(NamedTuple):
    """A state to look at, how many rows it has, and where."""

    title: str
    findings: int
    address: str
    is_chosen: bool


def privacy_inbox(request: HttpRequest) -> HttpResponse:
    """What was recognised, one row per property and detector, over all installations that the person sees."""
    wanted = _wanted(request.GET)
    counts = counts_by_state(wanted)
    page = Paginator(inbox(wanted), PAGE_SIZE).get_page(page_number(request.GET.get("page")))
    context: dict[str, Any] = {
        "page": page,
        "rows": list(_shown(page.object_list)),
        "query": without(request.GET, "page").urlencode(),
        "asked": request.GET,
        "state": wanted.state,
        "states": [_choice(request.GET, state, counts[state], wanted.state) for state in FindingState],
        "detectors": [(detector.value, words) for detector, words in DETECTOR_WORDS.items()],
        "is_narrowed": any(request.GET.get(name) for name in ("q", "detector", "installation")),
        "is_empty": not any(counts.values()),
    }
    return render_page(
        request, "studio/pages/privacy_inbox.html", noun=PrivacyFinding, title="Privacy inbox", page_title="", **context
    )


def _wanted(query: QueryDict) -> FindingFilter:
    """What the address asks for; what no finding can have is left out."""
    detector, state = query.get("detector"), query.get("state")
    return FindingFilter(
        text=query.get("q", "")[:200],
        installation=public_id(query.get("installation")),
        detector=Detector(detector) if detector in set(Detector) else None,
        state=FindingState(state) if state in FindingState.values else FindingState.OPEN,
    )


def _choice(query: QueryDict, state: FindingState, count: int, chosen: FindingState | None) -> StateChoice:
    address = without(query, "page", "state")
    address["state"] = state.value
    return StateChoice(str(state.label), count, f"?{address.urlencode()}", state is chosen)


def _shown(rows: Iterable[dict[str, Any]]) -> Iterator[ShownRow]:
    for values in rows:
        row = inbox_row(values)
        yield ShownRow(
            row=row,
            place=row.path.removeprefix("properties."),
            detector=detector_chip(row.detector),
            share=share_words(row.share),
            suggestion=suggestion_words(row.detector),
        )
