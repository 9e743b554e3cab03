"""What stands above every page of one spec: its state, what differs from what is published, and the pages beside it."""

from collections.abc import Iterator
from typing import Final

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.html import format_html
from django.utils.safestring import SafeString

from studio import markup
from studio.addresses import address_of, list_address, page_address
from studio.head import Deed, Fact, Head, Tab
from studio.pages.changes import tally
from studio.pages.installation import version_and_time
from studio.pages.review_states import review_chip
from studio.people import actor_of
from telemetry.core.enums import Stability
from telemetry.core.errors import NotAllowed
from telemetry.models import EventRecord, ReviewRecord, SpecRecord
from telemetry.selectors.draft_states import DraftState
from telemetry.selectors.reviews import live_review
from telemetry.selectors.specs import specs_with_status
from telemetry.services.comparisons import DraftComparison, compare_draft
from tenants.actors import Actor

__all__ = ["published_state", "spec_head", "spec_or_404", "stability_chip"]

TABS: Final = {
    "change": "Draft",
    "findings": "Findings",
    "compare": "Compare",
    "impact": "Blast radius",
    "what-if": "What if",
    "history": "History",
}
STABILITY_TONES: Final = {
    Stability.EXPERIMENTAL.value: "violet",
    Stability.BETA.value: "blue",
    Stability.STABLE.value: "green",
    Stability.DEPRECATED.value: "red",
}


def spec_or_404(actor: Actor, spec_id: int) -> SpecRecord:
    """The spec of an address, as in ``specs_with_status``, for whoever has a role; one query."""
    if not actor.can_somewhere("view"):
        raise NotAllowed("your role does not include the ability view", ability="view")
    return get_object_or_404(specs_with_status(), pk=spec_id)


def stability_chip(record: SpecRecord) -> SafeString:
    """How settled the spec is."""
    return markup.chip(record.stability.replace("_", " "), STABILITY_TONES.get(record.stability, "grey"))


def published_state(record: SpecRecord) -> SafeString:
    """Which version apps obey, and since when."""
    if record.published_version is None:
        return markup.status_chip("never published")
    return version_and_time(record.published_version, record.published_at)


def spec_head(request: HttpRequest, state: DraftState, page: str, compared: DraftComparison | None = None) -> Head:
    """What is published, what is not, and what can be done; at most three queries, one if nothing has changed.

    ``compared`` is what ``compare_draft`` says of the spec, for a page that needs it too.
    """
    record = state.record
    actor, review = actor_of(request), live_review(record)
    chips = [stability_chip(record)]
    if record.has_changes:
        chips.append(markup.status_chip("unpublished changes"))
    if review is not None:
        chips.append(review_chip(review.state, named=True))
    facts = (Fact("Published", published_state(record)), Fact("Draft revision", record.draft_revision))
    deeds = tuple(_deeds(actor, record, review, page))
    return Head(tuple(chips), facts, deeds, tuple(_tabs(actor, record, page)), _status(state, compared))


def _tabs(actor: Actor, record: SpecRecord, page: str) -> Iterator[Tab]:
    for name, title in TABS.items():
        # What happens to every installation is for those who may see every tenant.
        if name in ("impact", "what-if") and not actor.can("view"):
            continue
        yield Tab(title, address_of(record) if name == "change" else page_address(record, name), name == page)


def _deeds(actor: Actor, record: SpecRecord, review: ReviewRecord | None, page: str) -> Iterator[Deed]:
    edits = actor.can("spec.edit")
    if page == "change":
        yield from _draft_deeds(record, edits=edits)
    if review is not None:
        yield Deed("Open review", address_of(review), "rate_review")
    elif edits and record.has_changes:
        yield Deed("Submit for review", page_address(record, "submit"), "rate_review")
    if actor.can("spec.publish") and record.has_changes:
        yield Deed("Publish", page_address(record, "publish"), "rocket_launch", "primary")


def _draft_deeds(record: SpecRecord, *, edits: bool) -> Iterator[Deed]:
    if edits:
        yield Deed("New event", f"{list_address(EventRecord)}add/?spec={record.pk}", "add")
        yield Deed("Import", page_address(record, "import"), "upload")
    yield Deed("YAML", page_address(record, "yaml"), "download")
    yield Deed("JSON", page_address(record, "json"), "download")
    if edits:
        yield Deed("Clone", page_address(record, "clone"), "content_copy")
    if edits and record.has_changes and record.published_version:
        yield Deed("Discard draft", page_address(record, "discard"), "undo", "danger")


def _status(state: DraftState, compared: DraftComparison | None) -> SafeString | str:
    """Such as "3 changes since version 2: 1 breaking, 2 safe", with the way to them."""
    record = state.record
    if not record.has_changes:
        return ""
    before, diff = compared or compare_draft(state)
    if before is None:
        return "Nothing is published yet: the first version is everything that the draft says."
    counted, _, classes = tally(diff).partition(": ")
    words = f"{counted} since version {before.version}" + (f": {classes}" if classes else "")
    return markup.link(page_address(record, "compare"), words) if diff.changes else format_html("{}", words)
