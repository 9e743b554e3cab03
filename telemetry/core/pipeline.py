"""One event's way through the rules: find its definition, validate, take metrics, toggle, sample, redact.

The order is fixed. Metrics come before sampling and redaction, so that a masked number or a low rate cannot trip or
hide an anomaly; sampling comes before redaction, so that conditions see what was sent.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from telemetry.core.compiled import CompiledConfig, CompiledEvent, CompiledRules, compile_config
from telemetry.core.context_privacy import protect_context
from telemetry.core.enums import DropReason, PropertyType, ViolationCode
from telemetry.core.events import (
    Decision,
    Dispatch,
    Dropped,
    Envelope,
    Outcome,
    PseudonymKey,
    Rejected,
    Violation,
    Written,
)
from telemetry.core.express import ExpressLane
from telemetry.core.intake import InvalidEnvelope, take_envelope
from telemetry.core.observation import Observer, observe
from telemetry.core.paths import key_path
from telemetry.core.pseudonyms import Pseudonymiser, pseudonymiser_for
from telemetry.core.reading import Reading, read_event, shown_name
from telemetry.core.redaction import DROPPED, mask_value
from telemetry.core.sampling import decide, sampling_unit
from telemetry.core.unwritten import Unwritten

__all__ = [
    "CompiledConfig",
    "Pipeline",
    "Recogniser",
    "compile_config",
    "explain_sampling",
    "mask_recognised",
    "metrics_of",
    "process_event",
    "process_in_full",
]

# Whether the value of a property of this name reads like personal data; the core itself cannot tell.
Recogniser = Callable[[str, Any], bool]


def process_event(
    envelope: Envelope,
    compiled: CompiledConfig,
    *,
    key: PseudonymKey | None,
    observer: Observer | None = None,
    recogniser: Recogniser | None = None,
) -> Outcome:
    """What becomes of the event under this config.

    ``Accepted`` with a redacted dispatch that shares nothing with the envelope, ``Dropped`` when the event is valid but
    disabled or sampled out, ``Rejected`` when it breaks its contract. Never raises for anything that an envelope may
    hold, never changes it, and no violation carries a value. ``key`` is the tenant's key for pseudonyms; without it,
    subject ids are left out. ``observer`` is shown events that are not rejected, also those that are dropped.
    ``recogniser`` is asked about values that pass unhidden, if the config masks what it recognises.
    """
    try:
        taken = take_envelope(envelope)
    except InvalidEnvelope as invalid:
        return Rejected(violations=invalid.violations)
    outcome = Pipeline(compiled, key=key, observer=observer, recogniser=recogniser).process(taken)
    return outcome.write() if isinstance(outcome, Unwritten) else outcome


class Pipeline:
    """Processes many events under one config and key, as ``process_event`` does; as safe to share as its observer.

    What it keeps is mostly not written yet, and holds on to the envelope until then. ``lane`` is its quick way, if
    there may be one.
    """

    __slots__ = ("_compiled", "_key", "_observer", "_recogniser", "lane")

    def __init__(
        self,
        compiled: CompiledConfig,
        *,
        key: PseudonymKey | None,
        observer: Observer | None = None,
        recogniser: Recogniser | None = None,
    ) -> None:
        self._compiled, self._key = compiled, key
        self._observer, self._recogniser = observer, recogniser
        # A recogniser has to see the values, which the quick way does not show.
        is_quick = recogniser is None or not compiled.mask_detected
        self.lane = ExpressLane.of(compiled, key) if is_quick else None

    def process(self, taken: Envelope) -> Outcome:
        """What becomes of the event, which ``take_envelope`` gave."""
        if self.lane is not None:
            quick = self.lane.judge(taken, taken.name, taken.version, taken.properties, taken.context, self._observer)
            if quick is not None:
                return quick
        rules = self._compiled.find(taken.name, taken.version)
        if rules is None:
            return Rejected(violations=(_unknown_event(taken),))
        return process_in_full(
            taken, rules, self._compiled, key=self._key, observer=self._observer, recogniser=self._recogniser
        )


def process_in_full(
    taken: Envelope,
    rules: CompiledEvent,
    compiled: CompiledConfig,
    *,
    key: PseudonymKey | None,
    observer: Observer | None = None,
    recogniser: Recogniser | None = None,
) -> Outcome:
    """What becomes of an event that ``take_envelope`` has read, by its rules and without any short cut."""
    event = read_event(taken, rules)
    if event.is_refused:
        return Rejected(violations=_each_once(event.violations), name=rules.name, version=rules.version)
    metrics = metrics_of(event)
    pseudonymiser = None if key is None else pseudonymiser_for(key)
    if observer is not None:
        observer(observe(rules, event.properties, taken.context, metrics, pseudonymiser))
    if not rules.enabled:
        return _dropped(event, DropReason.DISABLED, metrics)
    decision = _sample(event, compiled.sampling_salt)
    if not decision.keep:
        return _dropped(event, DropReason.SAMPLED_OUT, metrics)
    _hide(event, pseudonymiser, recogniser if compiled.mask_detected else None)
    return _accepted(event, decision, metrics, compiled.revision, pseudonymiser)


def _unknown_event(envelope: Envelope) -> Violation:
    name = shown_name(envelope.name)
    version = "" if envelope.version is None else f" with version {envelope.version}"
    message = f"no event is named {name!r}{version}" if name else f"no event has this name{version}"
    return Violation(ViolationCode.UNKNOWN_EVENT, "name", message)


def _each_once(violations: Sequence[Violation]) -> tuple[Violation, ...]:
    """The violations in their order; those of values whose names are not shown read the same, and are one."""
    return tuple(dict.fromkeys(violations)) if violations else ()


def metrics_of(event: Reading) -> dict[str, float]:
    """Each numeric property, and each json object by its numeric ``value``, as it was sent."""
    metrics: dict[str, float] = {}
    for name in event.rules.measured:
        value = event.properties.get(name)
        if type(value) is dict:
            value = value.get("value")
        # Plain values are of exact types, so that this leaves out booleans too.
        if type(value) is int or type(value) is float:
            metrics[name] = float(value)
    return metrics


def _dropped(event: Reading, reason: DropReason, metrics: Mapping[str, float]) -> Dropped:
    return Dropped(
        name=event.rules.name,
        version=event.rules.version,
        reason=reason,
        metrics=metrics,
        violations=_each_once(event.violations),
    )


def _sample(event: Reading, salt: str) -> Decision:
    sampling = event.rules.sampling
    unit = sampling_unit(event.envelope)
    if sampling.conditions:
        context = msgspec.structs.replace(event.envelope.context, metadata=event.metadata)
        if not all(condition.holds(event.properties, context) for condition in sampling.conditions):
            return decide(sampling.otherwise_rate, unit, salt, reason="otherwise_rate")
    return decide(sampling.rate, unit, salt)


def _hide(event: Reading, pseudonymiser: Pseudonymiser | None, recogniser: Recogniser | None) -> None:
    """Everything that the rules protect is hidden, and what the recogniser takes for personal data is masked."""
    rules, hidden = event.rules, event.hidden
    _redact(event.properties, rules.properties, pseudonymiser, hidden)
    if event.metadata:
        _redact(event.metadata, rules.metadata, pseudonymiser, hidden)
    if recogniser is not None:
        mask_recognised(event, recogniser)


def _accepted(
    event: Reading,
    decision: Decision,
    metrics: Mapping[str, float],
    revision: int,
    pseudonymiser: Pseudonymiser | None,
) -> Written:
    """The dispatch of an event whose values are hidden already; of its context, subjects become pseudonyms here."""
    envelope, rules, hidden = event.envelope, event.rules, event.hidden
    names = pseudonymiser if rules.names_subjects else None
    context, violations = protect_context(envelope.context, event.metadata, names, hidden)
    dispatch = Dispatch(
        id=envelope.id,
        name=rules.name,
        version=rules.version,
        occurred_at=envelope.occurred_at,
        properties=event.properties,
        privacy=rules.privacy,
        context=context,
        tags=rules.tags,
        inclusion_probability=decision.inclusion_probability,
        config_revision=revision,
    )
    return Written(
        dispatch=dispatch,
        metrics=metrics,
        violations=_each_once(event.violations + violations),
        redacted=tuple(sorted(hidden)),
    )


def _redact(
    values: dict[str, Any], rules: CompiledRules, pseudonymiser: Pseudonymiser | None, hidden: set[str]
) -> None:
    """Hides what the rules protect, in place; the paths of what was hidden are added to ``hidden``."""
    for name, rule in rules.hidden.items():
        if name in values and rule.redactor is not None:
            hidden.add(rule.path)
            values[name] = rule.redactor(values[name], pseudonymiser)
            if values[name] is DROPPED:
                del values[name]


def mask_recognised(event: Reading, recogniser: Recogniser) -> None:
    """What no rule hides and the recogniser takes for personal data is masked, and reported as a violation."""
    _mask_recognised(event, event.properties, event.rules.properties, recogniser)
    _mask_recognised(event, event.metadata, event.rules.metadata, recogniser)


def _mask_recognised(event: Reading, values: dict[str, Any], rules: CompiledRules, recogniser: Recogniser) -> None:
    """Masks, in place, what no rule hides and the recogniser takes for personal data; each is reported."""
    for name, value in values.items():
        rule = rules.all.get(name)
        if (rule is not None and rule.redactor is not None) or not recogniser(name, value):
            continue
        path = key_path(rules.path, name) if rule is None else rule.path
        # Only the value of a key that is there is replaced, so that the mapping may be gone through meanwhile.
        values[name] = mask_value(value, PropertyType.JSON if rule is None else rule.type)
        event.leave_out(ViolationCode.DETECTED_PERSONAL_DATA, path, "reads like personal data; it was masked")


def explain_sampling(envelope: Envelope, compiled: CompiledConfig) -> Decision | None:
    """How sampling decides on the event, once more, for people who ask why; ``None`` if it is not asked.

    The same envelope under the same config gives the same decision each time. It holds no value of the event.
    """
    try:
        taken = take_envelope(envelope)
    except InvalidEnvelope:
        return None
    rules = compiled.find(taken.name, taken.version)
    if rules is None or not rules.enabled:
        return None
    event = read_event(taken, rules)
    return None if event.is_refused else _sample(event, compiled.sampling_salt)
