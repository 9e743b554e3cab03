"""Rules about how events come, change and go."""

from collections.abc import Iterator

from telemetry.core.enums import Severity
from telemetry.core.layers import event_reference
from telemetry.core.lint.rule import Problem, table
from telemetry.core.lint.subject import LintedEvent, LintedSpec

__all__ = ["LIFECYCLE_RULES"]


def deprecated_without_replacement(linted: LintedSpec) -> Iterator[Problem]:
    """Not to be sent any more, with no word about what to send instead."""
    for event in linted.events:
        if event.definition.deprecation is not None and event.definition.deprecation.replaced_by is None:
            yield Problem((*event.path, "deprecation"), "does not say what replaces the event")


def replacement_unknown(linted: LintedSpec) -> Iterator[Problem]:
    """Replaced by an event that nobody has defined."""
    known = linted.identities | linted.history | frozenset(linted.event_specs or ())
    references = {name for name, _ in known} | {event_reference(name, version) for name, version in known}
    for event, reference in _replacements(linted):
        if reference not in references:
            yield Problem((*event.path, "deprecation", "replacedBy"), f"names {reference}, which is not defined")


def replacement_deprecated(linted: LintedSpec) -> Iterator[Problem]:
    """Replaced by itself, or by an event that is deprecated too."""
    current = {each.definition.name for each in linted.current_events}
    deprecated = {
        reference
        for each in linted.events
        if each.is_deprecated
        for reference in (each.definition.name, event_reference(each.definition.name, each.definition.version))
    }
    for event, reference in _replacements(linted):
        if reference in deprecated and reference not in current:
            yield Problem((*event.path, "deprecation", "replacedBy"), f"names {reference}, which is deprecated too")


def deprecated_event_watched(linted: LintedSpec) -> Iterator[Problem]:
    """Not to be sent any more, and still raising alarms."""
    for event in linted.events:
        rules = event.definition.anomaly_detection
        if event.is_deprecated and rules is not None and rules.enabled and rules.thresholds:
            yield Problem((*event.path, "anomalyDetection"), "watches a deprecated event")


def version_gap(linted: LintedSpec) -> Iterator[Problem]:
    """A version whose predecessor nobody has seen."""
    known = linted.identities | linted.history
    if linted.published is not None:
        known |= {(event.name, event.version) for event in linted.published.events}
    earliest: dict[str, int] = {}
    for name, version in known:
        earliest[name] = min(version, earliest.get(name, version))
    for event in linted.events:
        name, version = event.definition.name, event.definition.version
        if version > earliest[name] and (name, version - 1) not in known:
            yield Problem((*event.path, "version"), f"follows no version {version - 1}")


def removed_without_deprecation(linted: LintedSpec) -> Iterator[Problem]:
    """Published before, gone now, and apps were never told."""
    for event in linted.published.events if linted.published else ():
        if event.deprecation is None and (event.name, event.version) not in linted.identities:
            reference = event_reference(event.name, event.version)
            yield Problem((), f"lacks {reference}, which is published and was not deprecated")


def version_returned(linted: LintedSpec) -> Iterator[Problem]:
    """Published once, removed since, and now back under the same number."""
    if linted.published is None:
        return
    published = {(event.name, event.version) for event in linted.published.events}
    for event in linted.events:
        identity = event.definition.name, event.definition.version
        if identity in linted.history and identity not in published:
            yield Problem((*event.path, "version"), "was published before and removed; old data is stored under it")


def _replacements(linted: LintedSpec) -> Iterator[tuple[LintedEvent, str]]:
    for event in linted.events:
        deprecation = event.definition.deprecation
        if deprecation is not None and deprecation.replaced_by is not None:
            yield event, deprecation.replaced_by


LIFECYCLE_RULES = table(
    "lifecycle",
    (
        replacement_unknown,
        Severity.WARNING,
        "What replaces a deprecated event is defined.",
        "Correct the name, or define the event.",
    ),
    (
        replacement_deprecated,
        Severity.WARNING,
        "What replaces a deprecated event is not deprecated itself.",
        "Name the event that is to be sent today.",
    ),
    (
        removed_without_deprecation,
        Severity.WARNING,
        "Published events are deprecated before they are removed.",
        "Keep the event with a deprecation until apps have stopped sending it.",
    ),
    (
        version_returned,
        Severity.WARNING,
        "A removed event version does not come back.",
        "Use the next version number.",
    ),
    (
        deprecated_without_replacement,
        Severity.INFO,
        "A deprecated event names what replaces it.",
        "Set deprecation.replacedBy, or say in the reason that nothing does and opt out.",
    ),
    (
        deprecated_event_watched,
        Severity.INFO,
        "Deprecated events raise no alarms.",
        "Remove anomalyDetection: falling numbers are what is wanted.",
    ),
    (
        version_gap,
        Severity.INFO,
        "Versions of an event are counted without gaps.",
        "Use the next number after the last version.",
    ),
)
