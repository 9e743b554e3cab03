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
from telemetry.core.events import Accepted, Dispatch, Dropped, Written
from telemetry.core.payload import LONGEST_TEXT_BYTES, MOST_PROPERTIES, READERS, is_unicode, plain_text
from telemetry.core.pseudonyms import Pseudonymiser
from telemetry.core.redaction import DROPPED, Constant
from telemetry.core.sampling import HASH_SPACE, sampling_point
from telemetry.core.timestamps import parse_timestamp
from telemetry.core.unwritten import Stamp, Subject, Terms, Unwritten

__all__ = ["ShapeJudge", "write_judge"]

_NUMBERS: Final = frozenset({int, float})
_LARGEST_DOUBLE: Final = sys.float_info.max


# From stamp, properties and subject; ``None`` when a value is not a usual one.
ShapeJudge = Callable[[Stamp, Mapping[str, Any], Subject], Accepted | Dropped | None]


def write_judge(
    names: Sequence[str],
    rules: CompiledEvent,
    *,
    salt: str,
    revision: int,
    pseudonymiser: Pseudonymiser | None,
    writes_at_once: bool,
) -> ShapeJudge | None:
    """The function for events whose properties have exactly these names, in this order.

    What it keeps is ``Written``, or ``Unwritten`` unless it ``writes_at_once``.
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
    code = _compile(tuple(map(_step, found)), rules.enabled, rules.sampling.rate != 1, writes_at_once)
    space = {**_constants(names, found, rules, revision), "salt": salt, "pseudonymiser": pseudonymiser}
    exec(code, space)  # noqa: S102 - the text is ours alone, see above
    judge: ShapeJudge = space["judge"]
    return judge


class _Step(msgspec.Struct, frozen=True):
    """What is to be done with one value: how it is checked, whether it is a metric, and what is shown of it."""

    check: str
    is_metric: bool
    shown: Literal["value", "redacted", "constant", "nothing"]


def _step(rule: CompiledProperty) -> _Step:
    return _Step(
        check=_check(rule),
        is_metric=rule.type is PropertyType.NUMBER,
        shown=_shown(rule),
    )


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


def _constants(
    names: Sequence[str], found: Sequence[CompiledProperty], rules: CompiledEvent, revision: int
) -> dict[str, Any]:
    """What the text calls by name: everything that is not one of the event's own values."""
    terms = _terms(names, found, rules, revision)
    constants: dict[str, Any] = {
        **msgspec.structs.asdict(terms),
        "terms": terms,
        "Unwritten": Unwritten,
        "Written": Written,
        "Dispatch": Dispatch,
        "Dropped": Dropped,
        "disabled": DropReason.DISABLED,
        "sampled_out": DropReason.SAMPLED_OUT,
        "sampling_point": sampling_point,
        "are_plain": _are_plain,
        "parse_timestamp": parse_timestamp,
        "numbers": _NUMBERS,
        "largest": _LARGEST_DOUBLE,
        "longest": LONGEST_TEXT_BYTES,
        # A whole number is below it just when it is below the exact one, and is compared in half the time.
        "threshold": math.ceil(rules.sampling.rate * HASH_SPACE),
    }
    for position, (name, rule) in enumerate(zip(names, found, strict=True)):
        constants[f"name{position}"] = name
        constants[f"read{position}"] = rule.read
        constants[f"redact{position}"] = rule.redactor
        constants[f"constant{position}"] = rule.redactor.replacement if isinstance(rule.redactor, Constant) else None
        constants[f"allowed{position}"] = rule.allowed
    return constants


def _terms(names: Sequence[str], found: Sequence[CompiledProperty], rules: CompiledEvent, revision: int) -> Terms:
    return Terms(
        name=rules.name,
        version=rules.version,
        privacy=rules.privacy,
        tags=rules.tags,
        inclusion_probability=rules.sampling.rate,
        config_revision=revision,
        properties=tuple(name for name, rule in zip(names, found, strict=True) if _shown(rule) != "nothing"),
        metrics=tuple(name for name, rule in zip(names, found, strict=True) if rule.type is PropertyType.NUMBER),
        redacted=tuple(sorted(rule.path for rule in found if rule.redactor is not None)),
    )


# Events of many specs need the same few texts.
@lru_cache(maxsize=256)
def _compile(steps: tuple[_Step, ...], is_enabled: bool, is_sampled: bool, writes_at_once: bool) -> CodeType:
    keeping = _keep_written(steps) if writes_at_once else _keep_unwritten(steps)
    lines = [*_checks(steps), *_decision(steps, is_enabled, is_sampled), *(keeping if is_enabled else ())]
    text = "\n    ".join(["def judge(stamp, properties, subject):", *lines])
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
    "timestamp": "type(v{0}) is str and parse_timestamp(v{0}) is not None",
}


def _decision(steps: Sequence[_Step], is_enabled: bool, is_sampled: bool) -> Iterator[str]:
    """Lines that drop the event, always or by its place."""
    dropped = f"return Dropped(name=name, version=version, metrics={_metrics(steps)}, reason="
    if not is_enabled:
        yield f"{dropped}disabled)"
    elif is_sampled:
        yield "point = sampling_point(stamp.id, salt) if subject.point is None else subject.point"
        yield f"if point >= threshold: {dropped}sampled_out)"


def _metrics(steps: Sequence[_Step]) -> str:
    entries = (f"name{position}: number{position}" for position, step in enumerate(steps) if step.is_metric)
    return f"{{{', '.join(entries)}}}"


def _keep_unwritten(steps: Sequence[_Step]) -> Iterator[str]:
    """Lines that hide what has to be hidden and return what a dispatch can be written from."""
    values = "".join(f"{_SHOWN[step.shown].format(position)}, " for position, step in _all_shown(steps))
    numbers = "".join(f"number{position}, " for position, step in enumerate(steps) if step.is_metric)
    yield f"return Unwritten(stamp, ({values}), ({numbers}), subject, terms)"


def _keep_written(steps: Sequence[_Step]) -> Iterator[str]:
    """Lines that hide what has to be hidden and return the dispatch."""
    shown = ", ".join(f"name{position}: {_SHOWN[step.shown].format(position)}" for position, step in _all_shown(steps))
    yield (
        f"dispatch = Dispatch(id=stamp.id, name=name, version=version, occurred_at=stamp.occurred_at, "
        f"properties={{{shown}}}, privacy=privacy, context=subject.context, tags=tags, "
        f"inclusion_probability=inclusion_probability, config_revision=config_revision)"
    )
    # All paths of the context sort before those of the properties.
    yield f"return Written(dispatch=dispatch, metrics={_metrics(steps)}, redacted=subject.redacted + redacted)"


def _all_shown(steps: Sequence[_Step]) -> Iterator[tuple[int, _Step]]:
    return ((position, step) for position, step in enumerate(steps) if step.shown in _SHOWN)


_SHOWN: Final = {
    "value": "v{0}",
    "redacted": "redact{0}(v{0}, pseudonymiser)",
    "constant": "constant{0}",
}


def _are_plain(*texts: str) -> bool:
    for text in texts:
        plain_text(text)
    return True
