"""The page that says what publishing the draft would do to each installation."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final, NamedTuple

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode

from studio.pages.changes import plainly
from studio.pages.shell import render_page
from studio.pages.spec_head import spec_head, spec_or_404
from studio.people import actor_of
from telemetry.core.blast_radius import EventImpact, InstallationImpact, ValueChange
from telemetry.core.layers import event_reference
from telemetry.core.validation import check_spec
from telemetry.models import SpecRecord
from telemetry.selectors.draft_states import DraftState
from telemetry.services.blast_radius import impact_of
from telemetry.services.impact_reports import AffectedInstallation, ImpactKind, ImpactReport, ImpactSummary
from tenants.actors import Actor, require

__all__ = ["impact", "impact_groups", "impact_on_publish_page", "sentence_of"]

PAGE_SIZE: Final = 25
# The publish page shows the worst; the rest is on a page of its own.
SHOWN_BESIDE_PUBLISH: Final = 5
# More events or values of one impact than this say no more; the comparison has them all.
SHOWN_EVENTS: Final = 12
SHOWN_VALUES: Final = 8

TITLES: Final = {
    ImpactKind.ORPHANED: "orphaned",
    ImpactKind.CONTRADICTORY: "contradictory",
    ImpactKind.BELOW_FLOOR: "weaker than the floor",
    ImpactKind.CHANGED: "gain or lose",
}


class ShownValue(NamedTuple):
    """One value before and after, as people read them."""

    path: str
    before: str
    after: str


class ShownEvent(NamedTuple):
    """One event that comes, goes or has other values; ``more`` values are not shown."""

    reference: str
    change: str
    values: tuple[ShownValue, ...]
    more: int


class ImpactGroup(NamedTuple):
    """Installations to which the very same happens: those on this page, how many there are in all, and what it is."""

    impact: InstallationImpact
    installations: tuple[AffectedInstallation, ...]
    alike: int
    config: tuple[ShownValue, ...]
    events: tuple[ShownEvent, ...]
    more: int


def impact(request: HttpRequest, spec_id: int) -> HttpResponse:
    """Per installation: what of its override falls flat, and what its config gains and loses."""
    actor, record = actor_of(request), spec_or_404(actor_of(request), spec_id)
    require(actor, "view")
    state = DraftState(record)
    context: dict[str, Any] = {"head": spec_head(request, state, "impact"), "is_broken": bool(check_spec(state.draft))}
    if not context["is_broken"] and record.has_changes:
        context |= _report(request, actor, state)
    template = "studio/pages/impact.html"
    return render_page(request, template, noun=SpecRecord, title="Blast radius", row=record, **context)


def impact_on_publish_page(actor: Actor, state: DraftState) -> dict[str, Any]:
    """The numbers and the worst of what the valid draft does; two queries beside those of the state."""
    report = impact_of(actor=actor, spec=state.draft, page_size=SHOWN_BESIDE_PUBLISH, state=state)
    return {
        "summary": report.summary,
        "impact_sentence": sentence_of(report.summary),
        "impact_groups": list(impact_groups(report.items)),
        "impact_more": report.total - len(report.items),
    }


def sentence_of(summary: ImpactSummary) -> str:
    """How many installations obey the spec, and to how many of them something happens."""
    if not summary.installations:
        return "No installation is bound to this spec, so nothing happens to any."
    one = summary.installations == 1
    parts = [
        f"{summary.installations} installation{'' if one else 's'} {'is' if one else 'are'} bound to this spec: "
        f"{summary.affected} affected, {summary.unaffected} not"
    ]
    if summary.pinned:
        parts.append(f"{summary.pinned} pinned to an older version")
    if summary.unexamined:
        parts.append(f"{summary.unexamined} not examined, because they differ in too many ways")
    return ", ".join(parts) + "."


def _report(request: HttpRequest, actor: Actor, state: DraftState) -> dict[str, Any]:
    chosen = request.GET.get("kind", "")
    kind = ImpactKind(chosen) if chosen in set(ImpactKind) else None
    number = _number(request.GET.get("page"))
    report = impact_of(actor=actor, spec=state.draft, kind=kind, page=number, page_size=PAGE_SIZE, state=state)
    if number > 1 and not report.items:
        number = 1
        report = impact_of(actor=actor, spec=state.draft, kind=kind, page_size=PAGE_SIZE, state=state)
    return {
        "summary": report.summary,
        "impact_sentence": sentence_of(report.summary),
        "impact_groups": list(impact_groups(report.items)),
        "filters": _filters(report, kind),
        "page": Paginator(range(report.total), PAGE_SIZE).get_page(number),
        "query": urlencode({"kind": kind.value}) if kind else "",
        "kind_title": "" if kind is None else TITLES[kind],
    }


def _number(text: str | None) -> int:
    # Beyond this no workspace has pages, and PostgreSQL has offsets.
    is_sound = text is not None and text.isascii() and text.isdecimal() and len(text) <= 6
    return max(1, int(text or 1)) if is_sound else 1


def _filters(report: ImpactReport, chosen: ImpactKind | None) -> list[tuple[str, int, str, bool]]:
    """Each kind with its number, address, and whether it is chosen."""
    return [
        ("all", report.summary.affected, "?", chosen is None),
        *(
            (title, getattr(report.summary, kind.value), f"?kind={kind.value}", chosen is kind)
            for kind, title in TITLES.items()
        ),
    ]


def impact_groups(items: Iterable[AffectedInstallation]) -> Iterator[ImpactGroup]:
    """What happens, each with the installations of the page to which it does."""
    # Equal impacts stand together.
    for found, same in groupby(items, key=lambda item: item.impact):
        installations = tuple(same)
        yield ImpactGroup(
            impact=found,
            installations=installations,
            alike=installations[0].alike,
            config=tuple(map(_value, found.config)),
            events=tuple(_event(each) for each in found.events[:SHOWN_EVENTS]),
            more=max(0, len(found.events) - SHOWN_EVENTS),
        )


def _event(found: EventImpact) -> ShownEvent:
    shown = tuple(map(_value, found.values[:SHOWN_VALUES]))
    return ShownEvent(
        event_reference(found.name, found.version), found.change, shown, max(0, len(found.values) - SHOWN_VALUES)
    )


def _value(change: ValueChange) -> ShownValue:
    return ShownValue(change.path, _briefly(change.before) or "nothing", _briefly(change.after) or "nothing")


def _briefly(value: object) -> str:
    """A value in one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_briefly(each)}" for key, each in value.items() if each is not None)
    if isinstance(value, tuple | list):
        return "; ".join(_briefly(each) for each in value)
    return " ".join(plainly(value).split())
