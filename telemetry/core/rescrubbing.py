"""Hiding what was stored openly: the rules of today for values that were let through before."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from telemetry.core.compiled import CompiledConfig, CompiledEvent, CompiledRules
from telemetry.core.enums import PrivacyLevel
from telemetry.core.pseudonyms import Pseudonymiser
from telemetry.core.redaction import DROPPED

__all__ = ["Scrubbed", "hides_more", "rules_for", "scrub"]

_SUBJECTS: Final = ("userId", "sessionId", "deviceId", "actor")
_ORDER: Final = list(PrivacyLevel)


class Scrubbed(NamedTuple):
    """A stored event as the rules would have let it through; ``paths`` are those of what was hidden, sorted."""

    properties: dict[str, Any]
    context: dict[str, Any]
    privacy: PrivacyLevel
    paths: tuple[str, ...]


def rules_for(compiled: CompiledConfig, name: str, version: int) -> CompiledEvent | None:
    """What holds for events that were stored under this name and version; the latest version's if theirs is gone."""
    return compiled.find(name, version) or compiled.find(name, None)


def scrub(
    properties: Mapping[str, Any],
    context: Mapping[str, Any],
    privacy: PrivacyLevel,
    rules: CompiledEvent,
    pseudonymiser: Pseudonymiser | None,
) -> Scrubbed | None:
    """The stored event with everything hidden that the rules hide; ``None`` if it is so already.

    By the functions that hide values when an event comes in. What they left of another value stays as it is, so doing
    it twice changes nothing more. At level ``sensitive`` subjects go as well. The level is never lowered. Without a
    pseudonymiser, what should become a pseudonym is masked.
    """
    paths: set[str] = set()
    shown = _hidden(properties, rules.properties, pseudonymiser, paths)
    around = dict(context)
    metadata = around.get("metadata")
    if isinstance(metadata, Mapping):
        around["metadata"] = _hidden(metadata, rules.metadata, pseudonymiser, paths)
    if not rules.names_subjects:
        for field in _SUBJECTS:
            if around.pop(field, None) is not None:
                paths.add(f"context.{field}")
    level = max(privacy, rules.privacy, key=_ORDER.index)
    if not paths and level is privacy:
        return None
    return Scrubbed(shown, around, level, tuple(sorted(paths)))


def hides_more(before: CompiledConfig | None, after: CompiledConfig, name: str, version: int) -> bool:
    """Whether events of this name and version may hold something that ``after`` hides and ``before`` let through."""
    now = after.find(name, version)
    then = None if before is None else rules_for(before, name, version)
    if now is None:
        return False
    if then is None:
        return True
    return (
        _ORDER.index(now.privacy) > _ORDER.index(then.privacy)
        or _adds(then.properties, now.properties)
        or _adds(then.metadata, now.metadata)
    )


def _adds(then: CompiledRules, now: CompiledRules) -> bool:
    return any(name not in then.hidden for name in now.hidden)


def _hidden(
    values: Mapping[str, Any], rules: CompiledRules, pseudonymiser: Pseudonymiser | None, paths: set[str]
) -> dict[str, Any]:
    shown = dict(values)
    for name, rule in rules.hidden.items():
        if name not in shown or rule.redactor is None or rule.is_hidden(shown[name]):
            continue
        value = rule.redactor(shown[name], pseudonymiser)
        if value is DROPPED:
            del shown[name]
        elif value == shown[name] and type(value) is type(shown[name]):
            continue
        else:
            shown[name] = value
        paths.add(rule.path)
    return shown
