"""What is kept how long at an installation: by its config, and by what is really stored."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple

from telemetry.core.config import EffectiveConfig, EffectiveEvent
from telemetry.core.enums import PrivacyLevel, RetentionPolicy
from telemetry.core.errors import Conflict
from telemetry.core.lint.rules.retention import MOST_DAYS
from telemetry.core.retention import RetentionClass, retention_class
from telemetry.services.configs import effective_config
from telemetry.services.purging.planning import PlannedItem
from telemetry.services.purging.previewing import Preview, preview_next_run
from telemetry.stores.due import StoredGroup, known_partitions, stored_groups
from tenants.models import Installation

__all__ = ["ClassSum", "KeptEvent", "RetentionOverview", "overview_of", "sums_by_class"]


class KeptEvent(NamedTuple):
    """One event: what its config says, and what is stored of it.

    ``privacy``, ``days`` and ``policy`` are ``None`` for what the config has no more: what is stored of it keeps the
    end that it has. ``due`` and ``held`` are what the next run removes, and what a hold keeps from it. ``warnings`` are
    sentences.
    """

    name: str
    version: int
    privacy: PrivacyLevel | None
    days: int | None
    policy: RetentionPolicy | None
    rows: int
    size_bytes: int
    first_on: date | None
    last_on: date | None
    due: int
    held: int
    warnings: tuple[str, ...]


class ClassSum(NamedTuple):
    """What lies in one retention class; ``0`` is what holds keep."""

    retention_class: RetentionClass
    rows: int
    size_bytes: int
    due: int
    held: int


class RetentionOverview(NamedTuple):
    """An installation's events, those of the strictest level first, and what lies in each class."""

    events: Sequence[KeptEvent]
    classes: Sequence[ClassSum]
    preview: Preview

    @property
    def warned(self) -> int:
        """How many events have a warning."""
        return sum(bool(event.warnings) for event in self.events)


def overview_of(installation: Installation, *, now: datetime) -> RetentionOverview:
    """What is kept how long at the installation, and what the next run removes; about ten queries."""
    try:
        config: EffectiveConfig | None = effective_config(installation)
    except Conflict:
        config = None
    known = known_partitions()
    groups = stored_groups([installation.pk], known=known)
    preview = preview_next_run([installation], now=now, known=known)
    return RetentionOverview(_events(config, groups, preview.items), sums_by_class(groups, preview), preview)


def sums_by_class(groups: Iterable[StoredGroup], preview: Preview) -> list[ClassSum]:
    """What lies in each class, with what of it goes next and what is held; the shortest first, what holds keep last."""
    rows: dict[int, list[int]] = {int(each): [0, 0, 0, 0] for each in RetentionClass}
    for group in groups:
        rows[group.retention_class][0] += group.rows
        rows[group.retention_class][1] += group.size_bytes
    for due in preview.groups:
        rows[due.retention_class][2] += due.rows
        rows[due.retention_class][3] += due.held
    classes = sorted(RetentionClass, key=lambda each: each or RetentionClass.CENTURY + 1)
    return [ClassSum(each, *rows[int(each)]) for each in classes]


def _events(
    config: EffectiveConfig | None, groups: Sequence[StoredGroup], items: Sequence[PlannedItem]
) -> list[KeptEvent]:
    planned = {(each.name, each.version): each for each in (() if config is None else config.events)}
    due = {(item.name, item.version): item for item in items}
    stored: dict[tuple[str, int], list[StoredGroup]] = {}
    for group in groups:
        stored.setdefault((group.name, group.version), []).append(group)
    longest = _longest_by_level(planned.values())
    events = [
        _event(key, planned.get(key), stored.get(key, []), due.get(key), longest) for key in sorted({*planned, *stored})
    ]
    levels = list(PrivacyLevel)
    return sorted(events, key=lambda event: -1 if event.privacy is None else -levels.index(event.privacy) - 1)


def _event(
    key: tuple[str, int],
    planned: EffectiveEvent | None,
    stored: Sequence[StoredGroup],
    due: PlannedItem | None,
    longest: dict[PrivacyLevel, int],
) -> KeptEvent:
    return KeptEvent(
        *key,
        privacy=None if planned is None else planned.privacy,
        days=None if planned is None else planned.retention.days,
        policy=None if planned is None else planned.retention.policy,
        rows=sum(group.rows for group in stored),
        size_bytes=sum(group.size_bytes for group in stored),
        first_on=min((group.first_on for group in stored), default=None),
        last_on=max((group.last_on for group in stored), default=None),
        due=0 if due is None else due.rows,
        held=0 if due is None else due.held,
        warnings=() if planned is None else tuple(_warnings(planned, stored, longest)),
    )


def _longest_by_level(events: Iterable[EffectiveEvent]) -> dict[PrivacyLevel, int]:
    longest: dict[PrivacyLevel, int] = {}
    for event in events:
        longest[event.privacy] = max(longest.get(event.privacy, 0), event.retention.days)
    return longest


def _warnings(event: EffectiveEvent, stored: Sequence[StoredGroup], longest: dict[PrivacyLevel, int]) -> Iterable[str]:
    """Where the level and the days do not agree, and where what is stored and the config do not."""
    levels = list(PrivacyLevel)
    limit = MOST_DAYS.get(event.privacy)
    if limit is not None and event.retention.days > limit:
        yield f"Level {event.privacy} is kept {limit} days at most, and this {event.retention.days}."
    weaker = [days for level, days in longest.items() if levels.index(level) < levels.index(event.privacy)]
    if weaker and event.retention.days > max(weaker):
        yield f"Kept longer than every event of a weaker level here, the longest of which is kept {max(weaker)} days."
    if limit is not None and event.retention.policy is RetentionPolicy.ARCHIVE:
        yield "Personal data is archived at its end, not deleted."
    fitting = retention_class(event.retention.days)
    longer = sum(group.rows for group in stored if group.retention_class > fitting)
    if longer:
        yield f"{longer:,} stored events came when it was kept for longer; the next run shortens them."
