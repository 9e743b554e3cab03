"""Changes between two specs as people read them: grouped by event, old and new side by side."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from django.core.paginator import Page, Paginator
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from studio import markup
from studio.addresses import address_of
from telemetry.core.diff import Change, SpecDiff
from telemetry.core.enums import ChangeClass
from telemetry.core.layers import event_reference
from telemetry.core.paths import key_path
from telemetry.core.plain import to_plain
from telemetry.core.yaml_documents import write_yaml
from telemetry.models import EventRecord, SpecRecord
from telemetry.services.comparisons import DraftComparison

__all__ = [
    "CLASSES",
    "GROUPS_PER_PAGE",
    "ChangeGroup",
    "change_chip",
    "class_filters",
    "draft_beside",
    "event_addresses",
    "groups_of",
    "page_of_groups",
    "plainly",
    "shown_changes",
    "shown_value",
    "tally",
]

# Events per page; one event can hold many changes, and people read them one event at a time.
GROUPS_PER_PAGE: Final = 25
# Above a form, where people want to know what they have changed so far, and then go on.
GROUPS_BESIDE: Final = 5

# The worst first, as people should read them.
CLASSES: Final = (ChangeClass.BREAKING, ChangeClass.RISKY, ChangeClass.SAFE)
TONES: Final = {ChangeClass.BREAKING: "red", ChangeClass.RISKY: "amber", ChangeClass.SAFE: "green"}


class ShownChange(NamedTuple):
    """One change, and its place inside its group."""

    change: Change
    place: str


class ChangeGroup(NamedTuple):
    """The changes of one event, or of what the whole spec says; ``address`` is empty if the draft has no such event."""

    title: str
    is_event: bool
    address: str
    changes: tuple[ShownChange, ...]


def change_chip(severity: str) -> SafeString:
    """The class of a change, the same everywhere."""
    known = ChangeClass(severity)
    return markup.chip(known.value, TONES[known])


def tally(diff: SpecDiff) -> str:
    """Such as "3 changes: 1 breaking, 2 safe"."""
    count = len(diff.changes)
    by_class = {ChangeClass.BREAKING: diff.breaking, ChangeClass.RISKY: diff.risky, ChangeClass.SAFE: diff.safe}
    parts = ", ".join(f"{len(by_class[each])} {each}" for each in CLASSES if by_class[each])
    return f"{count} change{'' if count == 1 else 's'}: {parts}" if count else "no change"


def class_filters(diff: SpecDiff, picked: Mapping[str, str], chosen: str) -> list[tuple[str, int, str, bool]]:
    """Each class with its number, address, and whether it is chosen; ``picked`` is what the address says besides."""
    all_of_it = ("all", len(diff.changes), f"?{urlencode(picked)}", chosen not in set(ChangeClass))
    counts = {each: sum(change.severity is each for change in diff.changes) for each in CLASSES}
    return [
        all_of_it,
        *(
            (each.value, counts[each], f"?{urlencode({**picked, 'class': each.value})}", chosen == each)
            for each in CLASSES
        ),
    ]


def groups_of(changes: Iterable[Change], addresses: Mapping[str, str], *, whole: str = "The spec") -> list[ChangeGroup]:
    """The changes by what they are about, each group where its first change stands.

    ``whole`` is the title of what is about no part.
    """
    found: dict[tuple[str, bool], list[ShownChange]] = {}
    for change in changes:
        title, place = _place(change, whole)
        found.setdefault((title, change.event is not None), []).append(ShownChange(change, place))
    return [
        ChangeGroup(title, is_event, addresses.get(title, "") if is_event else "", tuple(shown))
        for (title, is_event), shown in found.items()
    ]


def event_addresses(record: SpecRecord, references: Iterable[str]) -> dict[str, str]:
    """Where the events of the draft are edited, by reference such as ``step@1``; one query, none without references."""
    wanted = {reference.rpartition("@")[0] for reference in references}
    if not wanted:
        return {}
    rows = EventRecord.objects.filter(name__in=wanted, spec=record).only("pk", "name", "version").order_by()
    return {event_reference(row.name, row.version): address_of(row) for row in rows}


def page_of_groups(changes: Iterable[Change], record: SpecRecord, number: str | None) -> Page[ChangeGroup]:
    """One page of the groups, each with where its event is edited; one query, none without events."""
    page = Paginator(groups_of(changes, {}), GROUPS_PER_PAGE).get_page(number)
    addresses = event_addresses(record, [group.title for group in page if group.is_event])
    page.object_list = [group._replace(address=addresses.get(group.title, "")) for group in page]
    return page


def shown_changes(record: SpecRecord, compared: DraftComparison, number: str | None) -> dict[str, Any]:
    """What the template with changes shows, one page of it; one query."""
    before, diff = compared
    page = page_of_groups(diff.changes, record, number)
    return {
        "before": before,
        "diff": diff,
        "tally": tally(diff),
        "groups": page,
        "page": page,
        "before_words": "" if before is None else f"Version {before.version}",
        "after_words": "Draft",
    }


def draft_beside(record: SpecRecord, compared: DraftComparison) -> dict[str, Any]:
    """The first changes of the draft beside the version that was published last; one query, none without events."""
    if compared.before is None or not compared.diff.changes:
        return {}
    shown = shown_changes(record, compared, None)
    groups = list(shown["groups"])[:GROUPS_BESIDE]
    more = shown["page"].paginator.count - len(groups)
    return shown | {"groups": groups, "more_groups": more}


def plainly(value: object) -> str:
    """A value as people read it: text as it is, what has parts as YAML; empty where there is nothing."""
    if value is None or value in ("", (), {}):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value
    if isinstance(value, tuple | list) and all(isinstance(each, str | float | int) for each in value):
        return ", ".join(plainly(each) for each in value)
    if isinstance(value, float | int):
        return str(to_plain(value))
    return write_yaml(to_plain(value)).rstrip()


def shown_value(value: object, *, is_new: bool) -> SafeString:
    """One side of a change."""
    text = plainly(value)
    if not text:
        return format_html('<span class="side__nothing">{}</span>', "nothing")
    tag = "ins" if is_new else "del"
    return format_html("<{} class='side__value'>{}</{}>", tag, text, tag)


def _place(change: Change, whole: str) -> tuple[str, str]:
    if change.event is not None:
        inside = change.path.removeprefix(key_path("events", change.event))
        return change.event, inside.removeprefix(".") or "the event"
    for prefix, title in (("meta", "Meta"), ("config", "Defaults")):
        if change.path == prefix or change.path.startswith((f"{prefix}.", f"{prefix}[")):
            return title, change.path.removeprefix(prefix).removeprefix(".") or "all of it"
    return whole, change.path or "all of it"
