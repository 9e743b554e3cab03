"""``studio diff``: what changed between two specs, each change with its class."""

import re
from enum import StrEnum
from typing import Annotated, Final

import typer

from telemetry.cli.annotations import Annotation, Level, OutputFormat, RuleText, write_annotations
from telemetry.cli.sources import SpecFile, read_spec
from telemetry.cli.terminal import FOUND_SOMETHING
from telemetry.core.diff import RULES, Change, SpecDiff, diff_specs, find_unversioned_breaks
from telemetry.core.enums import ChangeClass
from telemetry.core.errors import FieldError
from telemetry.core.paths import key_path

__all__ = ["FailOnChange", "diff"]


class FailOnChange(StrEnum):
    """The least class of a change that makes the exit code 1.

    ``unversioned``: a breaking change of an event without a new version of it, which publishing refuses.
    """

    UNVERSIONED = "unversioned"
    BREAKING = "breaking"
    RISKY = "risky"
    SAFE = "safe"
    NEVER = "never"


_LEVELS: Final = {
    ChangeClass.BREAKING: Level.ERROR,
    ChangeClass.RISKY: Level.WARNING,
    ChangeClass.SAFE: Level.NOTE,
}
_UNVERSIONED: Final = RuleText(
    "An event that was published keeps its promise.", "Make the change in a new version of the event."
)


def diff(
    old: Annotated[str, typer.Argument(help="The spec before; - is standard input.", metavar="OLD")],
    new: Annotated[str, typer.Argument(help="The spec after.", metavar="NEW")],
    format_: Annotated[OutputFormat, typer.Option("--format", help="For whom changes are written.")] = (
        OutputFormat.TEXT
    ),
    fail_on: Annotated[FailOnChange, typer.Option(help="Exit with 1 from this class on.")] = FailOnChange.BREAKING,
) -> None:
    """Say what changed from OLD to NEW: breaking, risky or safe, as docs/compatibility.md explains."""
    before, after = read_spec(old), read_spec(new)
    changes = diff_specs(before.spec, after.spec)
    breaks = find_unversioned_breaks(before.spec, after.spec)
    annotations = [_annotate(after, change) for change in changes.changes]
    annotations += [_annotate_break(after, error) for error in breaks]
    rules = {name: RuleText(rule.reason, rule.reason) for name, rule in RULES.items()}
    write_annotations(
        annotations, format_, rules=rules | {"unversioned_break": _UNVERSIONED}, summary=_summary(changes, len(breaks))
    )
    if _is_failure(changes, bool(breaks), fail_on):
        raise typer.Exit(FOUND_SOMETHING)


def _annotate(after: SpecFile, change: Change) -> Annotation:
    line, column = after.positions.find(_place_in_document(after, change))
    return Annotation(
        file=after.name,
        line=line,
        column=column,
        level=_LEVELS[change.severity],
        word=change.severity.value,
        rule=change.rule,
        path=change.path,
        message=change.message,
        hint=change.reason,
    )


def _annotate_break(after: SpecFile, error: FieldError) -> Annotation:
    line, column = after.positions.find(error.path)
    return Annotation(
        file=after.name,
        line=line,
        column=column,
        level=Level.ERROR,
        word=ChangeClass.BREAKING.value,
        rule=error.code,
        path=error.path,
        message=error.message,
    )


def _place_in_document(after: SpecFile, change: Change) -> str:
    """The change's path, its event by position as in the document; the list of events for one that is gone."""
    if change.event is None:
        return re.sub(r"^events\[.*", "events", change.path)
    for index, event in enumerate(after.spec.events):
        if f"{event.name}@{event.version}" == change.event:
            return f"events[{index}]{change.path.removeprefix(key_path('events', change.event))}"
    return "events"


def _summary(changes: SpecDiff, breaks: int) -> str:
    counts = f"{len(changes.breaking)} breaking, {len(changes.risky)} risky, {len(changes.safe)} safe"
    return f"{counts}; {breaks} without a new version of the event" if breaks else counts


def _is_failure(changes: SpecDiff, has_breaks: bool, fail_on: FailOnChange) -> bool:
    if fail_on is FailOnChange.NEVER:
        return False
    if fail_on is FailOnChange.UNVERSIONED:
        return has_breaks
    return changes.worst is not None and changes.worst.rank >= ChangeClass(fail_on.value).rank
