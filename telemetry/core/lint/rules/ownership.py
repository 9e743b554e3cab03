"""Rules about people: whom to ask, and when to ask again."""

from collections.abc import Iterator

from telemetry.core.enums import Severity
from telemetry.core.lint.rule import Problem, table
from telemetry.core.lint.subject import LintedSpec

__all__ = ["OWNERSHIP_RULES"]


def event_unowned(linted: LintedSpec) -> Iterator[Problem]:
    """Neither the event nor its spec has an owner."""
    if linted.spec.meta.owners:
        return
    for event in linted.events:
        if not event.definition.owners:
            yield Problem(event.path, "has no owner, and neither has the spec")


def review_overdue(linted: LintedSpec) -> Iterator[Problem]:
    """The day until which it was to be looked at again is over."""
    for event in linted.events:
        day = event.definition.review_by
        if day is not None and day < linted.today:
            yield Problem((*event.path, "reviewBy"), f"was to be reviewed by {day}")


OWNERSHIP_RULES = table(
    "ownership",
    (
        event_unowned,
        Severity.WARNING,
        "Every event has an owner, its own or the spec's.",
        "Add owners to the event or to meta.",
    ),
    (
        review_overdue,
        Severity.WARNING,
        "Events are reviewed by the day that they name.",
        "Look at the event, and set the next day in reviewBy or deprecate it.",
    ),
)
