"""Rules about how long events are kept."""

from collections.abc import Iterator, Mapping
from typing import Final

from telemetry.core.enums import PrivacyLevel, RetentionPolicy, Severity
from telemetry.core.lint.rule import Problem, table
from telemetry.core.lint.subject import LintedEvent, LintedSpec
from telemetry.core.shapes import Path

__all__ = ["MOST_DAYS", "RETENTION_RULES"]

# A year to compare with for personal data, a quarter for what should not be found at all. Source: the principle is
# storage limitation, GDPR article 5(1)(e); it names no figures, these are the product's own.
MOST_DAYS: Final[Mapping[PrivacyLevel, int]] = {PrivacyLevel.PII: 365, PrivacyLevel.SENSITIVE: 90}


def retention_too_long(linted: LintedSpec) -> Iterator[Problem]:
    """Kept longer than its level justifies."""
    for event in linted.events:
        limit = MOST_DAYS.get(event.definition.privacy)
        if limit is not None and event.retention_days > limit:
            level = event.definition.privacy
            yield Problem(
                _place(event), f"keeps {level} events {event.retention_days} days, which is more than {limit}"
            )


def personal_data_archived(linted: LintedSpec) -> Iterator[Problem]:
    """Archived instead of deleted, so that the days have no end."""
    for event in linted.events:
        retention = event.definition.retention
        if retention is not None and retention.policy is RetentionPolicy.ARCHIVE and _is_personal(event):
            yield Problem((*event.path, "retention", "policy"), "archives personal data, which then has no end")


def retention_not_stated(linted: LintedSpec) -> Iterator[Problem]:
    """Personal data for which neither event nor spec says how long."""
    if linted.defaults.default_retention_days is not None:
        return
    for event in linted.events:
        if event.definition.retention is None and _is_personal(event):
            yield Problem((*event.path, "privacy"), "is personal, and neither event nor spec says how long it is kept")


def _is_personal(event: LintedEvent) -> bool:
    return event.definition.privacy in MOST_DAYS


def _place(event: LintedEvent) -> Path:
    return (*event.path, "privacy") if event.definition.retention is None else (*event.path, "retention", "days")


RETENTION_RULES = table(
    "retention",
    (
        retention_too_long,
        Severity.WARNING,
        "Events of level pii are kept 365 days at most, of level sensitive 90.",
        "Set retention.days, or opt out with the reason, such as a law that asks for more.",
    ),
    (
        personal_data_archived,
        Severity.WARNING,
        "Personal data is deleted, not archived.",
        "Use the policy delete, or opt out with the reason for the archive.",
    ),
    (
        retention_not_stated,
        Severity.INFO,
        "How long personal data is kept is stated.",
        "Set retention.days, or config.defaultRetentionDays.",
    ),
)
