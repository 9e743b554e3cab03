"""Hiding values: what flags and privacy levels demand, and what each strategy makes of a value.

A redaction that does not fit the value (a bucket on text, a pseudonym without a key) hides it whole: nothing here
ever falls back to the raw value.
"""

import json
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final

import msgspec

from telemetry.core.config import EffectiveProperty
from telemetry.core.enums import PrivacyLevel, PropertyType, RedactionStrategy, UndeclaredPolicy
from telemetry.core.events import PseudonymKey
from telemetry.core.partial_redaction import (
    email_domain,
    generalise_address,
    generalise_number,
    generalise_timestamp,
    is_domain,
    truncate,
)
from telemetry.core.pseudonyms import Pseudonymiser, is_pseudonym, pseudonymiser_for
from telemetry.core.spec import PropertyDefinition, Redaction
from telemetry.core.tightening import MASK
from telemetry.core.timestamps import MASKED_TIMESTAMP

__all__ = [
    "DROPPED",
    "MASKED_TEXT",
    "Constant",
    "Redactor",
    "compile_redactor",
    "hidden_form",
    "level_redacts",
    "mask_value",
    "redact",
    "redact_value",
    "required_redaction",
    "undeclared_redaction",
]

MASKED_TEXT: Final = "REDACTED"


class Missing(Enum):
    """The type of ``DROPPED``."""

    DROPPED = "dropped"


# What a redaction returns when nothing at all may stand in for the value.
DROPPED: Final = Missing.DROPPED

# Hides one value; without a pseudonymiser, what should become a pseudonym is masked. Only a ``Constant`` says DROPPED.
Redactor = Callable[[Any, Pseudonymiser | None], Any]


class Constant(msgspec.Struct, frozen=True):
    """The redactor that puts the same in place of every value, so that nobody has to call it."""

    replacement: Any

    def __call__(self, value: Any, pseudonymiser: Pseudonymiser | None) -> Any:  # noqa: ARG002  as every redactor
        return self.replacement


def level_redacts(property_type: PropertyType, privacy: PrivacyLevel) -> bool:
    """Whether the level alone hides a property of this type that nobody declared free of personal data.

    ``pii`` hides text and json, ``sensitive`` everything, the others nothing.
    """
    if privacy is PrivacyLevel.SENSITIVE:
        return True
    return privacy is PrivacyLevel.PII and property_type in (PropertyType.STRING, PropertyType.JSON)


def required_redaction(definition: PropertyDefinition, privacy: PrivacyLevel) -> Redaction | None:
    """The redaction that the property's flags and the event's privacy level demand; ``None`` when they demand none.

    A strategy that the property names is used; otherwise the value is masked. ``pii: false`` frees a property from
    the floor of level ``pii``, but not from ``sensitive``, and not from its own ``redact`` or ``redaction``.
    """
    if definition.redaction is not None:
        return definition.redaction
    if definition.pii or definition.redact:
        return MASK
    is_freed = definition.pii is False and privacy is not PrivacyLevel.SENSITIVE
    return MASK if level_redacts(definition.type, privacy) and not is_freed else None


def undeclared_redaction(
    property_type: PropertyType, policy: UndeclaredPolicy, privacy: PrivacyLevel
) -> Redaction | None:
    """What hides values of this type when their property is not declared; ``None`` when they may pass as they are.

    Quarantine, which refuses the whole event, counts as dropping.
    """
    if policy in (UndeclaredPolicy.DROP, UndeclaredPolicy.QUARANTINE):
        return Redaction(strategy=RedactionStrategy.DROP)
    # What is json may be a number as well, and an undeclared value is judged by what it is.
    seen_as = PropertyType.NUMBER if property_type is PropertyType.JSON else property_type
    return MASK if policy is UndeclaredPolicy.MASK or level_redacts(seen_as, privacy) else None


def compile_redactor(property_type: PropertyType, redaction: Redaction) -> Redactor:
    """A function that hides values of a property of this type."""
    match redaction.strategy:
        case RedactionStrategy.DROP:
            return Constant(DROPPED)
        case RedactionStrategy.NULL:
            return Constant(None)
        case RedactionStrategy.HASH:
            return _namer(property_type)
    cut = _cutter(property_type, redaction)
    if cut is None:
        return _masker(property_type)
    return lambda value, _pseudonymiser: mask_value(value, property_type) if (part := cut(value)) is None else part


def _namer(property_type: PropertyType) -> Redactor:
    """Gives pseudonyms, and masks what cannot have one."""

    def name(value: Any, pseudonymiser: Pseudonymiser | None) -> Any:
        # Texts are nearly all there is to it, and of many events.
        if type(value) is str and pseudonymiser is not None:
            return pseudonymiser.pseudonym(value)
        pseudonym = _hash(value, pseudonymiser)
        return mask_value(value, property_type) if pseudonym is None else pseudonym

    return name


def _masker(property_type: PropertyType) -> Redactor:
    """Masks; only for json does the mask depend on the value."""
    if property_type is PropertyType.JSON:
        return lambda value, _pseudonymiser: _mask_json(value)
    return Constant(mask_value(None, property_type))


_RESULTS: Final = {RedactionStrategy.HASH: is_pseudonym, RedactionStrategy.EMAIL_DOMAIN: is_domain}


def hidden_form(property_type: PropertyType, redaction: Redaction | None) -> Callable[[Any], bool]:
    """A function that tells whether a value may be what this redaction, or a mask, left of another value.

    What it says yes to can be passed on as it is: null, a mask, and for strategies whose result is no longer of the
    kind that they take, what reads like their result. The other strategies change nothing when applied again.
    """
    is_result = None if redaction is None else _RESULTS.get(redaction.strategy)

    def is_hidden(value: Any) -> bool:
        return (
            value is None or value == mask_value(value, property_type) or (is_result is not None and is_result(value))
        )

    return is_hidden


def redact_value(
    value: Any,
    property_type: PropertyType,
    redaction: Redaction,
    key: PseudonymKey | None,
) -> Any:
    """What may be shown in place of the value, or ``DROPPED`` when nothing may.

    A pseudonym is text whatever the property's type; all else keeps the type. The value is expected to be of the
    property's type, and is masked if it is not.
    """
    return compile_redactor(property_type, redaction)(value, None if key is None else pseudonymiser_for(key))


def redact(
    properties: Mapping[str, Any],
    rules: Mapping[str, EffectiveProperty],
    *,
    key: PseudonymKey | None,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The properties as the rules let them through, and the sorted names of those that were hidden or left out.

    A property without a rule is left out. Values that pass unhidden are the given objects, not copies.
    """
    shown: dict[str, Any] = {}
    redacted: list[str] = []
    for name, value in properties.items():
        rule = rules.get(name)
        if rule is not None and rule.redaction is None:
            shown[name] = value
            continue
        redacted.append(name)
        if rule is None or rule.redaction is None:
            continue
        replacement = redact_value(value, rule.type, rule.redaction, key)
        if replacement is not DROPPED:
            shown[name] = replacement
    return shown, tuple(sorted(redacted))


def mask_value(value: object, property_type: PropertyType) -> Any:
    """A harmless value of the property's type; for json, of the value's own type."""
    match property_type:
        case PropertyType.STRING:
            return MASKED_TEXT
        case PropertyType.NUMBER:
            return 0
        case PropertyType.BOOLEAN:
            return False
        case PropertyType.TIMESTAMP:
            return MASKED_TIMESTAMP
        case PropertyType.JSON:
            return _mask_json(value)


def _mask_json(value: object) -> Any:
    if isinstance(value, Mapping):
        return {}
    if isinstance(value, list | tuple):
        return []
    if isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        return 0
    return None if value is None else MASKED_TEXT


def _cutter(property_type: PropertyType, redaction: Redaction) -> Callable[[Any], Any] | None:
    """The partial redaction that fits strategy, setting and type, or ``None`` when none does."""
    length, unit, bucket = redaction.length, redaction.unit, redaction.bucket
    match redaction.strategy, property_type:
        case RedactionStrategy.TRUNCATE, PropertyType.STRING if length is not None and length > 0:
            return lambda value: truncate(value, length) if isinstance(value, str) else None
        case RedactionStrategy.EMAIL_DOMAIN, PropertyType.STRING:
            return lambda value: email_domain(value) if isinstance(value, str) else None
        case RedactionStrategy.GENERALISE, PropertyType.STRING if unit is None and bucket is None:
            return lambda value: generalise_address(value) if isinstance(value, str) else None
        case RedactionStrategy.GENERALISE, PropertyType.NUMBER if bucket is not None:
            return lambda value: generalise_number(value, bucket) if _is_number(value) else None
        case RedactionStrategy.GENERALISE, PropertyType.TIMESTAMP if unit is not None:
            return lambda value: generalise_timestamp(value, unit) if isinstance(value, str) else None
        case _:
            return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _hash(value: object, pseudonymiser: Pseudonymiser | None) -> str | None:
    """The value's pseudonym; a whole number has that of its digits as text. ``None`` without key or for no JSON."""
    if pseudonymiser is None:
        return None
    if isinstance(value, str):
        return pseudonymiser.pseudonym(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return None
    return pseudonymiser.pseudonym(text)
