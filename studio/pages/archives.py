"""The archive: which events left the store for a file, and until when they are kept there."""

from typing import Any, Final, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from studio import markup
from studio.pages.queries import page_of_rows, public_id, without
from studio.pages.shell import render_page
from studio.pages.violation_words import installation_words
from telemetry.models import ArchiveFile, ArchiveState
from telemetry.selectors.archives import ArchiveFilter, archive_files, archive_totals, events_in

__all__ = ["archive_page"]

PAGE_SIZE: Final = 50
TONES: Final = {ArchiveState.KEPT: "green", ArchiveState.VERIFIED: "blue", ArchiveState.RESTORED: "blue"}
SHOWN_STATES: Final = [
    (state.value, state.label)
    for state in ArchiveState
    if state not in (ArchiveState.WRITING, ArchiveState.VERIFIED, ArchiveState.DISCARDED)
]


class ShownFile(NamedTuple):
    """A row of the list; ``events`` with their rows, most first."""

    row: ArchiveFile
    where: SafeString
    state: SafeString
    events: list[tuple[str, int]]


def archive_page(request: HttpRequest) -> HttpResponse:
    """The files of the tenants that the person may see, the newest day first."""
    state = request.GET.get("state", "")
    wanted = ArchiveFilter(
        installation=public_id(request.GET.get("installation")),
        event=request.GET.get("event", "")[:200],
        state=state if state in dict(SHOWN_STATES) else "",
    )
    page = page_of_rows(archive_files(wanted), request.GET, PAGE_SIZE)
    context: dict[str, Any] = {
        "page": page,
        "files": [_shown(file) for file in page.object_list],
        "totals": archive_totals(wanted),
        "query": without(request.GET, "page").urlencode(),
        "asked": request.GET,
        "is_narrowed": wanted != ArchiveFilter(),
        "states": SHOWN_STATES,
        "state": wanted.state,
    }
    return render_page(
        request, "studio/pages/archive.html", noun=ArchiveFile, title="Archive", page_title="", **context
    )


def _shown(file: ArchiveFile) -> ShownFile:
    tone = TONES.get(ArchiveState(file.state), "grey")
    chip = markup.chip(file.get_state_display(), tone)
    return ShownFile(file, installation_words(file.installation), chip, events_in(file))
