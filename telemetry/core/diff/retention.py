"""How long events are kept, and how many of them: judged by what holds, whoever says it."""

from telemetry.core.enums import RetentionPolicy

__all__ = ["rule_of_days", "rule_of_policy", "rule_of_rate"]


def rule_of_days(before: int, after: int, *, is_personal: bool) -> str:
    """The rule of a change of the days that hold."""
    if before == after:
        return "restated"
    if after < before:
        return "retention_shortened"
    return "personal_retention_lengthened" if is_personal else "retention_lengthened"


def rule_of_policy(before: RetentionPolicy, after: RetentionPolicy, *, is_personal: bool) -> str:
    """The rule of a change of the policy that holds."""
    if before is after:
        return "restated"
    if after is RetentionPolicy.DELETE:
        return "archive_dropped"
    return "personal_archive_added" if is_personal else "archive_added"


def rule_of_rate(before: float, after: float) -> str:
    """The rule of a change of the sampling rate that holds (ratios 0-1)."""
    if before == after:
        return "restated"
    return "sampling_lowered" if after < before else "sampling_raised"
