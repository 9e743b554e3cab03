"""Writes the function that judges events with one set of property names: all loops over names are done beforehand.

The text of the function depends on how many values there are and what is to be done with each; names, rules and limits
are handed to it as objects. Nothing that a spec or an event says is ever part of the text.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from types import CodeType
from typing import Any, Final

import msgspec

from telemetry.core.compiled import CompiledEvent, CompiledProperty
from telemetry.core.enums import DropReason, PropertyType
from telemetry.core.events import Accepted, Context, Dispatch, Dropped
from telemetry.core.payload import LONGEST_TEXT_BYTES, MOST_PROPERTIES, READERS, is_unicode, plain_text
from telemetry.core.pseudonyms import Pseudonymiser
from telemetry.core.redaction import DROPPED
from telemetry.core.sampling import HASH_SPACE, sampling_point
from telemetry.core.timestamps import parse_timestamp

__all__ = ["ShapeJudge", "Subject", "write_judge"]

_NUMBERS: Final = frozenset({int, float})
_LARGEST_DOUBLE: Final = sys.float_info.max


class Subject(msgspec.Struct, frozen=True):
    """What follows from the ids in a context; without a ``point``, each event is sampled by itself."""

    context: Context
    redacted: tuple[str, ...]
    point: int | None


# From event id, instant, values in the order of the names, and subject; ``None`` when a value is not a usual one.
ShapeJudge = Callable[[str, datetime, Iterable[Any], Subject], Accepted | Dropped | None]


def write_judge(
    names: Sequence[str], rules: CompiledEvent, *, salt: str, revision: int, pseudonymiser: Pseudonymiser | None
) -> ShapeJudge | None:
    """The function for events whose properties have exactly these names, in this order.

    It raises ``InvalidValue`` or returns ``None`` for values that need a closer look. ``None`` instead of a function
    when all such events do: a name is not declared, a required one is missing, or one is of type json.
    """
    declared = rules.properties.all
    if len(names) > MOST_PROPERTIES or not declared.keys() >= set(names) >= rules.properties.required.keys():
        return None
    found = [declared[name] for name in names]
    if any(rule.type is PropertyType.JSON for rule in found):
        return None
    code = _compile(tuple(map(_step, found)), rules.enabled, rules.sampling.rate != 1)
    space = {**_constants(names, found, rules), "salt": salt, "revision": revision, "pseudonymiser": pseudonymiser}
    exec(code, space)  # noqa: S102 - the text is ours alone, see above
    judge: ShapeJudge = space["judge"]
    return judge


class _Step(msgspec.Struct, frozen=True):
    """What is to be done with one value: how it is checked, whether it is a metric, and whether it is hidden."""

    check: str
    is_metric: bool
    is_hidden: bool


def _step(rule: CompiledProperty) -> _Step:
    return _Step(
        check=_check(rule),
        is_metric=rule.type is PropertyType.NUMBER,
        is_hidden=rule.redactor is not None,
    )


def _check(rule: CompiledProperty) -> str:
    if rule.type is PropertyType.STRING and rule.allowed and all(map(_is_safe, rule.allowed)):
        return "choice"
    return rule.type.value if rule.read is READERS[rule.type] else "read"


def _is_safe(allowed: Any) -> bool:
    return type(allowed) is str and "\0" not in allowed and is_unicode(allowed)


def _constants(names: Sequence[str], found: Sequence[CompiledProperty], rules: CompiledEvent) -> dict[str, Any]:
    """What the text calls by name: everything that is not one of the event's own values."""
    constants: dict[str, Any] = {
        "Accepted": Accepted,
        "Dispatch": Dispatch,
        "Dropped": Dropped,
        "DROPPED": DROPPED,
        "disabled": DropReason.DISABLED,
        "sampled_out": DropReason.SAMPLED_OUT,
        "sampling_point": sampling_point,
        "are_plain": _are_plain,
        "parse_timestamp": parse_timestamp,
        "numbers": _NUMBERS,
        "largest": _LARGEST_DOUBLE,
        "longest": LONGEST_TEXT_BYTES,
        "name": rules.name,
        "version": rules.version,
        "privacy": rules.privacy,
        "tags": rules.tags,
        "rate": rules.sampling.rate,
        "threshold": rules.sampling.rate * HASH_SPACE,
        "redacted": tuple(sorted(rule.path for rule in found if rule.redactor is not None)),
    }
    for position, (name, rule) in enumerate(zip(names, found, strict=True)):
        constants[f"name{position}"] = name
        constants[f"read{position}"] = rule.read
        constants[f"hide{position}"] = rule.redactor
        constants[f"allowed{position}"] = rule.allowed
    return constants


# Events of many specs need the same few texts.
@lru_cache(maxsize=256)
def _compile(steps: tuple[_Step, ...], is_enabled: bool, is_sampled: bool) -> CodeType:
    lines = [*_checks(steps), *_decision(is_enabled, is_sampled), *(_dispatch(steps) if is_enabled else ())]
    text = "\n    ".join(["def judge(event_id, occurred_at, values, subject):", *lines])
    return compile(text, "<an event's shape>", "exec")


def _checks(steps: Sequence[_Step]) -> Iterator[str]:
    """Lines that read the values and return early when one is not usual, up to the metrics."""
    if steps:
        yield f"{_list(steps, 'v{}')}, = values"
    tests = [_TESTS[step.check].format(position) for position, step in enumerate(steps) if step.check in _TESTS]
    if tests:
        yield f"if not ({' and '.join(tests)}): return None"
    texts = [f"v{position}" for position, step in enumerate(steps) if step.check == "string"]
    if texts:
        yield f"text = {' + '.join(texts)}"
        # The length of several texts in all is at most that of one: above it, the whole way looks at each.
        is_plain = f"(text.isascii() or are_plain({', '.join(texts)}))"
        yield f"if '\\0' in text or len(text) > longest or not {is_plain}: return None"
    for position, step in enumerate(steps):
        if step.check == "read":
            yield f"v{position} = read{position}(v{position})"
    metrics = (f"name{position}: float(v{position})" for position, step in enumerate(steps) if step.is_metric)
    yield f"metrics = {{{', '.join(metrics)}}}"


# Written so that "not a number" does not pass. What is allowed or a timestamp is safe, and not too long, by that alone.
_TESTS: Final = {
    "string": "type(v{0}) is str",
    "number": "type(v{0}) in numbers and -largest <= v{0} <= largest",
    "boolean": "(v{0} is True or v{0} is False)",
    "choice": "type(v{0}) is str and v{0} in allowed{0}",
    "timestamp": "type(v{0}) is str and parse_timestamp(v{0}) is not None",
}


def _decision(is_enabled: bool, is_sampled: bool) -> Iterator[str]:
    """Lines that drop the event, always or by its place."""
    if not is_enabled:
        yield "return Dropped(name=name, version=version, reason=disabled, metrics=metrics)"
    elif is_sampled:
        yield "point = sampling_point(event_id, salt) if subject.point is None else subject.point"
        yield "if point >= threshold: return Dropped(name=name, version=version, reason=sampled_out, metrics=metrics)"


def _dispatch(steps: Sequence[_Step]) -> Iterator[str]:
    """Lines that hide what has to be hidden and return the dispatch."""
    hidden = [position for position, step in enumerate(steps) if step.is_hidden]
    for position in hidden:
        yield f"v{position} = hide{position}(v{position}, pseudonymiser)"
    yield f"shown = {{{_list(steps, 'name{0}: v{0}')}}}"
    for position in hidden:
        yield f"if v{position} is DROPPED: del shown[name{position}]"
    yield (
        "dispatch = Dispatch(id=event_id, name=name, version=version, occurred_at=occurred_at, properties=shown, "
        "privacy=privacy, context=subject.context, tags=tags, inclusion_probability=rate, config_revision=revision)"
    )
    # All paths of the context sort before those of the properties.
    yield "return Accepted(dispatch=dispatch, metrics=metrics, redacted=subject.redacted + redacted)"


def _list(steps: Sequence[_Step], pattern: str) -> str:
    return ", ".join(pattern.format(position) for position in range(len(steps)))


def _are_plain(*texts: str) -> bool:
    for text in texts:
        plain_text(text)
    return True
