"""Writes the function that judges events with one set of property names: all loops over names are done beforehand.

The text of the function depends on how many values there are and what is to be done with each; names, rules and limits
are handed to it as objects. Nothing that a spec or an event says is ever part of the text.
"""

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from types import CodeType
from typing import Any, Final, Literal

import msgspec

from telemetry.core.compiled import CompiledEvent, CompiledProperty
from telemetry.core.enums import DropReason, PropertyType
from telemetry.core.events import Dropped
from telemetry.core.observation import Observation, Observer
from telemetry.core.payload import LONGEST_TEXT_BYTES, MOST_PROPERTIES, READERS, is_unicode, plain_text
from telemetry.core.pseudonyms import Pseudonymiser
from telemetry.core.redaction import DROPPED, Constant
from telemetry.core.sampling import HASH_SPACE, sampling_point
from telemetry.core.timestamps import is_timestamp
from telemetry.core.unwritten import Stamp, Subject, Terms, Unwritten

__all__ = ["ShapeJudge", "write_judge"]

_NUMBERS: Final = frozenset({int, float})
_LARGEST_DOUBLE: Final = sys.float_info.max


# From stamp, properties, subject and who observes; ``None`` when a value is not a usual one.
ShapeJudge = Callable[[Stamp, Mapping[str, Any], Subject, Observer | None], Unwritten | Dropped | None]


def write_judge(
    names: Sequence[str],
    rules: CompiledEvent,
    *,
    salt: str,
    revision: int,
    pseudonymiser: Pseudonymiser | None,
    sorts_values: bool,
) -> ShapeJudge | None:
    """The function for events whose properties have exactly these names, in this order.

    If it ``sorts_values``, those of a kept event are in the order in which PostgreSQL's jsonb has them, by the length
    of their names first: then it need not sort them again.
    It takes each value once, and raises or returns ``None`` when one needs a closer look or is not there any more.
    ``None`` instead of a function when all such events do: a name is not declared, a required one is missing, or one is
    of type json.
    """
    declared = rules.properties.all
    if len(names) > MOST_PROPERTIES or not declared.keys() >= set(names) >= rules.properties.required.keys():
        return None
    found = [declared[name] for name in names]
    if any(rule.type is PropertyType.JSON for rule in found):
        return None
    plan = _plan(names, found, rules, sorts_values=sorts_values)
    space = _constants(names, found, _terms(plan, names, found, rules, revision))
    space |= {"threshold": _threshold(rules), "salt": salt, "pseudonymiser": pseudonymiser}
    exec(_compile(plan), space)  # noqa: S102 - the text is ours alone, see above
    judge: ShapeJudge = space["judge"]
    return judge


class _Step(msgspec.Struct, frozen=True):
    """What is to be done with one value: how it is checked, whether it is a metric, and what is shown of it."""

    check: str
    is_metric: bool
    shown: Literal["value", "redacted", "constant", "nothing"]


class _Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All that the text of the function depends on.

    ``steps`` are as the names; ``shown``, ``measured`` and ``counted`` are places among them, in the order in which
    what is kept and what is observed has them. A counted property that is not among the names is ``None``.
    """

    steps: tuple[_Step, ...]
    shown: tuple[int, ...]
    measured: tuple[int, ...]
    counted: tuple[int | None, ...]
    is_enabled: bool
    is_sampled: bool


def _plan(
    names: Sequence[str], found: Sequence[CompiledProperty], rules: CompiledEvent, *, sorts_values: bool
) -> _Plan:
    steps = tuple(_Step(_check(rule), rule.type is PropertyType.NUMBER, _shown(rule)) for rule in found)
    shown = [place for place, step in enumerate(steps) if step.shown in _SHOWN]
    if sorts_values:
        shown.sort(key=lambda place: jsonb_order(names[place]))
    return _Plan(
        steps=steps,
        shown=tuple(shown),
        measured=tuple(names.index(name) for name in rules.measured if name in names),
        counted=tuple(names.index(name) if name in names else None for name in rules.counted),
        is_enabled=rules.enabled,
        is_sampled=rules.sampling.rate != 1,
    )


def jsonb_order(name: str) -> tuple[int, bytes]:
    """What PostgreSQL sorts the keys of an object by.

    Source: ``lengthCompareJsonbPair`` in PostgreSQL's ``jsonb_util.c``.
    """
    encoded = name.encode("utf-8", "surrogatepass")
    return len(encoded), encoded


def _check(rule: CompiledProperty) -> str:
    if rule.type is PropertyType.STRING and rule.allowed and all(map(_is_safe, rule.allowed)):
        return "choice"
    return rule.type.value if rule.read is READERS[rule.type] else "read"


def _shown(rule: CompiledProperty) -> Literal["value", "redacted", "constant", "nothing"]:
    if isinstance(rule.redactor, Constant):
        return "nothing" if rule.redactor.replacement is DROPPED else "constant"
    return "value" if rule.redactor is None else "redacted"


def _is_safe(allowed: Any) -> bool:
    return type(allowed) is str and "\0" not in allowed and is_unicode(allowed)


def _constants(names: Sequence[str], found: Sequence[CompiledProperty], terms: Terms) -> dict[str, Any]:
    """What the text calls by name: everything that is not one of the event's own values."""
    constants: dict[str, Any] = {
        "terms": terms,
        "name": terms.name,
        "version": terms.version,
        "measured": terms.metrics,
        "present": tuple(names),
        "Unwritten": Unwritten,
        "Observation": Observation,
        "Dropped": Dropped,
        "disabled": DropReason.DISABLED,
        "sampled_out": DropReason.SAMPLED_OUT,
        "sampling_point": sampling_point,
        "are_plain": _are_plain,
        "is_timestamp": is_timestamp,
        "numbers": _NUMBERS,
        "largest": _LARGEST_DOUBLE,
        "longest": LONGEST_TEXT_BYTES,
    }
    for position, (name, rule) in enumerate(zip(names, found, strict=True)):
        constants[f"name{position}"] = name
        constants[f"read{position}"] = rule.read
        constants[f"redact{position}"] = rule.redactor
        constants[f"constant{position}"] = rule.redactor.replacement if isinstance(rule.redactor, Constant) else None
        constants[f"allowed{position}"] = rule.allowed
    return constants


def _threshold(rules: CompiledEvent) -> int:
    """A whole number is below it just when it is below the exact one, and is compared in half the time."""
    return math.ceil(rules.sampling.rate * HASH_SPACE)


def _terms(
    plan: _Plan, names: Sequence[str], found: Sequence[CompiledProperty], rules: CompiledEvent, revision: int
) -> Terms:
    return Terms(
        name=rules.name,
        version=rules.version,
        privacy=rules.privacy,
        tags=rules.tags,
        inclusion_probability=rules.sampling.rate,
        config_revision=revision,
        properties=tuple(names[place] for place in plan.shown),
        metrics=tuple(names[place] for place in plan.measured),
        redacted=tuple(sorted(rule.path for rule in found if rule.redactor is not None)),
    )


# Events of many specs need the same few texts.
@lru_cache(maxsize=256)
def _compile(plan: _Plan) -> CodeType:
    lines = [*_checks(plan.steps), *_decision(plan), _observation(plan), "return outcome"]
    text = "\n    ".join(["def judge(stamp, properties, subject, observer):", *lines])
    return compile(text, "<an event's shape>", "exec")


def _checks(steps: Sequence[_Step]) -> Iterator[str]:
    """Lines that read the values and return early when one is not usual; metrics are numbers from then on."""
    for position in range(len(steps)):
        yield f"v{position} = properties[name{position}]"
    tests = [_TESTS[step.check].format(position) for position, step in enumerate(steps) if step.check in _TESTS]
    if tests:
        yield f"if not ({' and '.join(tests)}): return None"
    texts = [f"v{position}" for position, step in enumerate(steps) if step.check == "string"]
    if texts:
        yield f"text = f'{''.join(f'{{{text}}}' for text in texts)}'"
        # The length of several texts in all is at most that of one: above it, the whole way looks at each.
        is_plain = f"(text.isascii() or are_plain({', '.join(texts)}))"
        yield f"if '\\0' in text or len(text) > longest or not {is_plain}: return None"
    for position, step in enumerate(steps):
        if step.check == "read":
            yield f"v{position} = read{position}(v{position})"
            if step.is_metric:
                yield f"number{position} = float(v{position})"


# Written so that "not a number" does not pass, nor a whole number that is rounded to the largest double. What is
# allowed, or a timestamp, is safe and not too long by that alone.
_TESTS: Final = {
    "string": "type(v{0}) is str",
    "number": "type(v{0}) in numbers and -largest < (number{0} := float(v{0})) < largest",
    "boolean": "(v{0} is True or v{0} is False)",
    "choice": "type(v{0}) is str and v{0} in allowed{0}",
    "timestamp": "type(v{0}) is str and is_timestamp(v{0})",
}


def _decision(plan: _Plan) -> Iterator[str]:
    """Lines that drop the event, always or by its place, or else hide what has to be hidden and keep it."""
    metrics = ", ".join(f"name{place}: number{place}" for place in plan.measured)
    dropped = f"outcome = Dropped(name=name, version=version, metrics={{{metrics}}}, reason="
    values = "".join(f"{_SHOWN[plan.steps[place].shown].format(place)}, " for place in plan.shown)
    kept = f"outcome = Unwritten(stamp, ({values}), {_numbers(plan)}, subject, terms)"
    if not plan.is_enabled:
        yield f"{dropped}disabled)"
    elif plan.is_sampled:
        yield "point = sampling_point(stamp.id, salt) if subject.point is None else subject.point"
        yield f"if point >= threshold: {dropped}sampled_out)"
        yield f"else: {kept}"
    else:
        yield kept


def _observation(plan: _Plan) -> str:
    """A line that shows the event, which has its outcome by now: nothing can go wrong any more."""
    values = "".join("None, " if place is None else f"v{place}, " for place in plan.counted)
    observation = f"Observation(measured, {_numbers(plan)}, ({values}), present, subject.observed)"
    return f"if observer is not None: observer({observation})"


def _numbers(plan: _Plan) -> str:
    return f"({''.join(f'number{place}, ' for place in plan.measured)})"


_SHOWN: Final = {
    "value": "v{0}",
    "redacted": "redact{0}(v{0}, pseudonymiser)",
    "constant": "constant{0}",
}


def _are_plain(*texts: str) -> bool:
    for text in texts:
        plain_text(text)
    return True
