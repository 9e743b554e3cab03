"""Rules about what is personal: names that say so, flags that agree, levels that fit."""

from collections.abc import Iterator

from telemetry.core.enums import PrivacyLevel, PropertyType, RedactionStrategy, Severity, UndeclaredPolicy
from telemetry.core.lint.personal import is_identifier_name, is_secret_name, personal_kind
from telemetry.core.lint.rule import Problem, table
from telemetry.core.lint.subject import LintedProperty, LintedSpec

__all__ = ["PRIVACY_RULES", "needs_reason"]

_WHOLLY_HIDDEN = (RedactionStrategy.MASK, RedactionStrategy.NULL, RedactionStrategy.DROP)
_PERSONAL_LEVELS = (PrivacyLevel.PII, PrivacyLevel.SENSITIVE)


def pii_without_redact(linted: LintedSpec) -> Iterator[Problem]:
    """Flagged as personal, with nothing that says how it is hidden."""
    for each in linted.properties():
        if each.definition.pii and not each.definition.redact and each.definition.redaction is None:
            yield Problem(
                (*each.path, "pii"), "is marked pii, but neither redact nor a redaction says how it is hidden"
            )


def personal_name_unmarked(linted: LintedSpec) -> Iterator[Problem]:
    """Named like personal data, flagged neither way, and passed on as it is."""
    for each in linted.properties():
        if each.definition.pii is None and each.hidden is None:
            kind = personal_kind(each.name, each.definition.type)
            if kind is not None:
                yield Problem(each.path, f"reads like {kind}, and nothing says whether it is one")


def personal_name_declared_free(linted: LintedSpec) -> Iterator[Problem]:
    """Named like personal data, declared to be none, without a word of explanation."""
    for each in linted.properties():
        if needs_reason(each) and _has_personal_name(each):
            yield Problem(
                (*each.path, "pii"), "is declared free of personal data, against its name and without a reason"
            )


def secret_collected(linted: LintedSpec) -> Iterator[Problem]:
    """Named like a secret, and not hidden as a whole."""
    for each in linted.properties():
        is_whole = each.hidden is not None and each.hidden.strategy in _WHOLLY_HIDDEN
        if not is_whole and is_secret_name(each.name, each.definition.type):
            yield Problem(each.path, "reads like a secret, which no event should carry")


def raw_identifier(linted: LintedSpec) -> Iterator[Problem]:
    """An identifier of a person, device or session that is passed on as it is."""
    for each in linted.properties():
        is_explained = each.definition.pii is False and each.definition.description.strip()
        if each.hidden is None and not is_explained and is_identifier_name(each.name, each.definition.type):
            yield Problem(each.path, "reads like an identifier of somebody, and is passed on as it is")


def personal_data_in_public_event(linted: LintedSpec) -> Iterator[Problem]:
    """A public event that carries flagged properties."""
    for event in linted.events:
        count = sum(each.definition.pii is True for each in event.properties)
        if count and event.definition.privacy is PrivacyLevel.PUBLIC:
            yield Problem((*event.path, "privacy"), f"is public, but {_counted(count)} marked pii")


def level_above_content(linted: LintedSpec) -> Iterator[Problem]:
    """Level pii, with every property declared free of personal data."""
    for event in linted.events:
        is_free = event.properties and all(each.definition.pii is False for each in event.properties)
        if is_free and event.definition.privacy is PrivacyLevel.PII:
            yield Problem((*event.path, "privacy"), "is pii, but every property is declared free of personal data")


def json_declared_free(linted: LintedSpec) -> Iterator[Problem]:
    """Any JSON, declared free of personal data in an event that holds some."""
    for each in linted.properties():
        if needs_reason(each) and not _has_personal_name(each):
            yield Problem(
                (*each.path, "pii"), "can hold anything, and is declared free of personal data without a reason"
            )


def undeclared_kept_beside_personal_data(linted: LintedSpec) -> Iterator[Problem]:
    """Undeclared properties are passed on although events hold personal data."""
    if linted.defaults.undeclared_properties is not UndeclaredPolicy.KEEP:
        return
    if any(event.definition.privacy in _PERSONAL_LEVELS for event in linted.events):
        yield Problem(
            ("config", "undeclaredProperties"),
            "keeps what nobody has judged, in a spec whose events hold personal data",
        )


def quarantine_holds_nothing(linted: LintedSpec) -> Iterator[Problem]:
    """Events with undeclared properties are refused for a person to look at, and then not held."""
    held = linted.defaults.quarantine
    if linted.defaults.undeclared_properties is UndeclaredPolicy.QUARANTINE and (held is None or not held.enabled):
        yield Problem(("config", "undeclaredProperties"), "is quarantine, but refused events are not held")


def needs_reason(each: LintedProperty) -> bool:
    """Whether the property is declared free of personal data, and what it is called or can hold asks why."""
    if each.definition.pii is not False or each.hidden is not None or each.definition.description.strip():
        return False
    is_open = each.definition.type is PropertyType.JSON and each.privacy is PrivacyLevel.PII
    return is_open or _has_personal_name(each)


def _has_personal_name(each: LintedProperty) -> bool:
    return personal_kind(each.name, each.definition.type) is not None


def _counted(count: int) -> str:
    return "one property is" if count == 1 else f"{count} properties are"


PRIVACY_RULES = table(
    "privacy",
    (
        personal_name_unmarked,
        Severity.ERROR,
        "A property whose name reads like personal data says whether it is.",
        "Set pii: true and redact: true, or pii: false if it is none.",
    ),
    (
        secret_collected,
        Severity.ERROR,
        "Passwords, tokens and keys are not collected.",
        "Remove the property, or hide it with mask, null or drop.",
    ),
    (
        pii_without_redact,
        Severity.WARNING,
        "Personal data is marked with both pii and redact.",
        "Add redact: true, or a redaction with the strategy that fits.",
    ),
    (
        personal_name_declared_free,
        Severity.WARNING,
        "Who declares a personal-looking property free of personal data says why.",
        "Say in the description what it holds and why that is not personal.",
    ),
    (
        raw_identifier,
        Severity.WARNING,
        "Identifiers of people, devices and sessions are hidden.",
        "Use the redaction hash, which still lets readers count and join; or pii: false with a description.",
    ),
    (
        personal_data_in_public_event,
        Severity.WARNING,
        "A public event carries no personal data.",
        "Raise the level to internal or pii, or remove the property.",
    ),
    (
        json_declared_free,
        Severity.WARNING,
        "A json property that is declared free of personal data says why.",
        "Describe what it may hold, or split it into declared properties.",
    ),
    (
        undeclared_kept_beside_personal_data,
        Severity.WARNING,
        "Where events hold personal data, undeclared properties are not kept.",
        "Use drop, mask or quarantine, and declare what is needed.",
    ),
    (
        quarantine_holds_nothing,
        Severity.WARNING,
        "What is quarantined is held for somebody to look at.",
        "Enable quarantine in the spec's config, or use drop or mask.",
    ),
    (
        level_above_content,
        Severity.INFO,
        "Events without personal data are internal.",
        "Use internal, or mark the properties that are personal.",
    ),
)
