"""What becomes of an event that a tracker judged and redacted already: checked against the config in force now.

The tracker sampled, and is not second-guessed: doing it again would keep the product of two rates, and the studio
cannot, as it does not know the raw id. Everything else holds as for raw events: the event must be known, switched on
and of the right types, and whatever the rules hide is hidden here too, unless it reads like the hidden form already. So
a config that was tightened a moment ago protects people at once, and a client that only claims to have redacted gains
nothing.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from telemetry.core.compiled import CompiledConfig, CompiledEvent, CompiledProperty, CompiledRules
from telemetry.core.context_privacy import protect_context
from telemetry.core.enums import DropReason, ViolationCode
from telemetry.core.events import (
    Dispatch,
    Dropped,
    Envelope,
    Outcome,
    PseudonymKey,
    Rejected,
    Violation,
    Written,
)
from telemetry.core.observation import Observer, observe
from telemetry.core.payload import READERS, InvalidValue, plain_mapping
from telemetry.core.pipeline import Recogniser, mask_recognised, metrics_of
from telemetry.core.pseudonyms import OnlyRaw, Pseudonymiser, is_pseudonym, pseudonymiser_for
from telemetry.core.reading import Reading, read_stray
from telemetry.core.redaction import DROPPED, mask_value
from telemetry.core.reports import Report, ReportedOutcome
from telemetry.core.values import EMPTY_MAPPING

__all__ = ["process_report"]

# Texts of a client never become messages of ours: they might quote what they are about.
_MESSAGES: Final = {
    ViolationCode.UNKNOWN_EVENT: "no event has this name in the tracker's config",
    ViolationCode.MISSING_REQUIRED: "is required",
    ViolationCode.WRONG_TYPE: "must be of the declared type",
    ViolationCode.NOT_ALLOWED_VALUE: "must be one of the property's allowed values",
    ViolationCode.UNDECLARED_PROPERTY: "is not declared",
    ViolationCode.UNDECLARED_CONTEXT: "is not declared",
    ViolationCode.UNSAFE_VALUE: "must be safe to store",
    ViolationCode.MALFORMED: "must be an event",
    ViolationCode.OUTSIDE_WINDOW: "was made too long ago, or in the future",
    ViolationCode.DETECTED_PERSONAL_DATA: "reads like personal data; it was masked",
}
_PLACE: Final = re.compile(
    r"(?:id|name|version|occurredAt|context(?:\.[A-Za-z]{1,32})?"
    r'|(?:properties|context\.metadata)(?:\.[A-Za-z_$][A-Za-z0-9_$]{0,127}|\["[A-Za-z0-9_$. -]{1,128}"\]|\[\?\])?)?'
).fullmatch
# More than one event's properties can break.
_MOST_PATHS: Final = 1_000
_REASONS: Final = {
    ReportedOutcome.SAMPLED_OUT: DropReason.SAMPLED_OUT,
    ReportedOutcome.DISABLED: DropReason.DISABLED,
}


def process_report(
    taken: Envelope,
    report: Report,
    compiled: CompiledConfig,
    *,
    key: PseudonymKey | None,
    observer: Observer | None = None,
    recogniser: Recogniser | None = None,
) -> Outcome:
    """What becomes of the reported event under the config in force.

    ``taken`` is the report's event as ``take_envelope`` has read it. What the tracker dropped or rejected stays so;
    what it kept may still be rejected, or dropped as disabled. Under the same config, what the tracker accepted comes
    out as it was. Never raises for anything that a report may hold. ``observer`` sees what the tracker let through: a
    property that it hid is there as ``None``, and is no metric.
    """
    told = _told(report)
    rules = compiled.find(taken.name, taken.version)
    if report.outcome is ReportedOutcome.REJECTED:
        violations = told or (Violation(ViolationCode.MALFORMED, "", "was rejected by the tracker"),)
        if rules is None:
            return Rejected(violations=violations)
        return Rejected(violations=violations, name=rules.name, version=rules.version)
    if rules is None:
        return Rejected(violations=(Violation(ViolationCode.UNKNOWN_EVENT, "name", "no event has this name"),))
    if not 0 < report.inclusion_probability <= 1:
        message = "must be more than 0 and at most 1"
        return Rejected(violations=(Violation(ViolationCode.UNSAFE_VALUE, "", f"inclusionProbability {message}"),))
    if report.outcome is not ReportedOutcome.ACCEPTED:
        return _dropped(taken, report, rules, told, key=key, observer=observer)
    return _kept(taken, report, rules, told, compiled, key=key, observer=observer, recogniser=recogniser)


def _renaming(key: PseudonymKey | None) -> OnlyRaw | None:
    """A tracker of ours sends pseudonyms, which keep their names."""
    return None if key is None else OnlyRaw(pseudonymiser_for(key))


def _told(report: Report) -> tuple[Violation, ...]:
    """The violations that the tracker found, in our words."""
    return tuple(
        dict.fromkeys(
            Violation(each.code, each.path if _PLACE(each.path) else "", _MESSAGES[each.code])
            for each in report.violations[:_MOST_PATHS]
        )
    )


def _dropped(
    taken: Envelope,
    report: Report,
    rules: CompiledEvent,
    told: tuple[Violation, ...],
    *,
    key: PseudonymKey | None,
    observer: Observer | None,
) -> Dropped:
    reading = Reading(taken, rules, {}, {}, set(), [], False)
    given = taken.properties if isinstance(taken.properties, dict) else {}
    for name, rule in rules.properties.all.items():
        if name in report.present:
            reading.properties[name] = None
        if name in given and rule.redactor is None:
            try:
                reading.properties[name] = rule.read(given[name])
            except InvalidValue:
                continue
    metrics = _metrics(reading)
    if observer is not None:
        observer(observe(rules, reading.properties, taken.context, metrics, _renaming(key)))
    reason = _REASONS[report.outcome]
    return Dropped(name=rules.name, version=rules.version, reason=reason, metrics=metrics, violations=told)


def _kept(
    taken: Envelope,
    report: Report,
    rules: CompiledEvent,
    told: tuple[Violation, ...],
    compiled: CompiledConfig,
    *,
    key: PseudonymKey | None,
    observer: Observer | None,
    recogniser: Recogniser | None,
) -> Outcome:
    reading = Reading(taken, rules, {}, {}, set(), [], False)
    redacted = frozenset(report.redacted[:_MOST_PATHS])
    pseudonymiser = None if key is None else pseudonymiser_for(key)
    _read_values(reading, reading.properties, taken.properties, rules.properties, redacted, pseudonymiser)
    if taken.context.metadata is not EMPTY_MAPPING or rules.metadata.required:
        _read_values(reading, reading.metadata, taken.context.metadata, rules.metadata, redacted, pseudonymiser)
    violations = tuple(dict.fromkeys((*told, *reading.violations)))
    if reading.is_refused:
        return Rejected(violations=violations, name=rules.name, version=rules.version)
    metrics = _metrics(reading)
    if observer is not None:
        observer(observe(rules, _as_sent(reading, rules), taken.context, metrics, _renaming(key)))
    if not rules.enabled:
        reason = DropReason.DISABLED
        return Dropped(name=rules.name, version=rules.version, reason=reason, metrics=metrics, violations=violations)
    if recogniser is not None and compiled.mask_detected:
        mask_recognised(reading, recogniser)
    names = _renaming(key) if rules.names_subjects else None
    context, left_out = protect_context(taken.context, reading.metadata, names, reading.hidden)
    dispatch = Dispatch(
        id=taken.id,
        name=rules.name,
        version=rules.version,
        occurred_at=taken.occurred_at,
        properties=reading.properties,
        privacy=rules.privacy,
        context=context,
        tags=rules.tags,
        inclusion_probability=report.inclusion_probability,
        # The config that sampled and redacted; never one that there has not been yet.
        config_revision=max(0, min(report.config_revision, compiled.revision)),
    )
    all_violations = tuple(dict.fromkeys((*told, *reading.violations, *left_out)))
    hidden = tuple(sorted(reading.hidden | {path for path in redacted if _PLACE(path)}))
    return Written(dispatch=dispatch, metrics=metrics, violations=all_violations, redacted=hidden)


def _read_values(
    reading: Reading,
    taken: dict[str, Any],
    values: Mapping[str, Any],
    rules: CompiledRules,
    redacted: frozenset[str],
    pseudonymiser: Pseudonymiser | None,
) -> None:
    """Fills ``taken`` with the values of one place, each hidden as its rule says."""
    try:
        values = plain_mapping(values)
    except InvalidValue as invalid:
        reading.refuse(invalid.code, rules.path, invalid.message)
        return
    for name, value in values.items():
        rule = rules.all.get(name)
        if rule is None:
            read_stray(reading, taken, name, value, rules)
        elif rule.path in redacted:
            _take_hidden(reading, taken, name, value, rule, pseudonymiser)
        elif value is not None or rule.admits_null:
            _take_open(reading, taken, name, value, rule, pseudonymiser)
    for name, rule in rules.required.items():
        if values.get(name) is None and name not in taken and rule.path not in redacted:
            reading.refuse(ViolationCode.MISSING_REQUIRED, rule.path, "is required")


def _take_hidden(
    reading: Reading,
    taken: dict[str, Any],
    name: str,
    value: Any,
    rule: CompiledProperty,
    pseudonymiser: Pseudonymiser | None,
) -> None:
    """A value that the tracker says stands for another: left as it is when it reads so, else hidden in any case."""
    reading.hidden.add(rule.path)
    if is_pseudonym(value) or rule.is_hidden(value):
        taken[name] = value
        return
    try:
        plain = READERS[rule.type](value)
    except InvalidValue:
        plain = mask_value(None, rule.type)
    _hide(taken, name, plain, rule, pseudonymiser)


def _take_open(
    reading: Reading,
    taken: dict[str, Any],
    name: str,
    value: Any,
    rule: CompiledProperty,
    pseudonymiser: Pseudonymiser | None,
) -> None:
    """A value that the tracker had no reason to hide; ours may be newer."""
    try:
        plain = rule.read(value)
    except InvalidValue as invalid:
        reading.refuse(invalid.code, rule.path, invalid.message)
        return
    if rule.redactor is not None:
        reading.hidden.add(rule.path)
    _hide(taken, name, plain, rule, pseudonymiser)


def _hide(
    taken: dict[str, Any], name: str, plain: Any, rule: CompiledProperty, pseudonymiser: Pseudonymiser | None
) -> None:
    shown = plain if rule.redactor is None else rule.redactor(plain, pseudonymiser)
    if shown is not DROPPED:
        taken[name] = shown


def _metrics(reading: Reading) -> dict[str, float]:
    """The numbers that were not hidden: what stands for a hidden one says nothing."""
    return {
        name: value
        for name, value in metrics_of(reading).items()
        if reading.rules.properties.all[name].path not in reading.hidden
    }


def _as_sent(reading: Reading, rules: CompiledEvent) -> dict[str, Any]:
    """The properties with ``None`` for all that was hidden, also where nothing was left of it."""
    return {
        name: None if rule.path in reading.hidden else reading.properties.get(name)
        for name, rule in rules.properties.all.items()
        if name in reading.properties or rule.path in reading.hidden
    }
