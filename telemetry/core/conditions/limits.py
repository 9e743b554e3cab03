"""What a sampling condition may cost: bounds that are checked on its text, before it is compiled.

The run time adds its own: 32 levels of nesting, and 10,000 iterations per evaluation.
"""

import re
from typing import Final

from telemetry.core.conditions.source import ConditionSource
from telemetry.core.conditions.variables import ENVIRONMENT
from telemetry.core.errors import InvalidCondition

__all__ = ["LONGEST_CONDITION", "LONGEST_PATTERN", "MOST_TOKENS", "check_limits"]

# Source: the documents' own bound on a condition.
LONGEST_CONDITION: Final = 1_000
# A list of 150 texts fits; evaluation stays within tens of microseconds.
MOST_TOKENS: Final = 400
# Source: the product's bound on regular expressions everywhere.
LONGEST_PATTERN: Final = 256
# A pattern is compiled at each evaluation, at about two microseconds per unrolled character.
_HEAVIEST_PATTERN: Final = 300
_MOST_LOOPS: Final = 4

_LOOPS: Final = frozenset({"all", "exists", "exists_one"})
# They build a list by copying it at each step: quadratic, 1.6 s for 10,000 items.
_QUADRATIC_LOOPS: Final = frozenset({"filter", "map"})

_PATTERN_PART: Final = re.compile(
    r"(?P<escape>\\.)|(?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])|(?P<open>\()|(?P<close>\))"
    r"|(?P<count>\{[0-9]+(?:,[0-9]*)?\})|(?P<other>.)",
    re.DOTALL,
)


def check_limits(source: ConditionSource) -> None:
    """Nothing, when the condition is within all bounds; else ``InvalidCondition`` with the column."""
    if len(source.tokens) > MOST_TOKENS:
        raise InvalidCondition(f"too long: at most {MOST_TOKENS} names, values and operators", column=None)
    _check_loops(source)
    for index, token in enumerate(source.tokens):
        if token.text == "matches" and source.is_call(index):
            _check_pattern(source, index)


def _check_loops(source: ConditionSource) -> None:
    """Loops are few, none stands inside another, and none is quadratic."""
    open_calls: list[bool] = []
    count = 0
    for index, token in enumerate(source.tokens):
        if token.text in ")]}" and token.kind == "sign" and open_calls:
            open_calls.pop()
        if token.text in "([{" and token.kind == "sign":
            before = source.tokens[index - 1].text if index else ""
            is_loop = token.text == "(" and before in _LOOPS
            if is_loop and any(open_calls):
                raise InvalidCondition(f"{before}() inside another loop is not allowed", column=token.start)
            count += is_loop
            if count > _MOST_LOOPS:
                raise InvalidCondition(f"at most {_MOST_LOOPS} loops are allowed", column=token.start)
            open_calls.append(is_loop)
        if token.text in _QUADRATIC_LOOPS and source.is_call(index):
            raise InvalidCondition(
                f"{token.text}() is not available; use exists(), all() or exists_one()", column=token.start + 1
            )


def _check_pattern(source: ConditionSource, index: int) -> None:
    """The last argument of ``matches`` is a literal, and no costly one."""
    call = source.tokens[index + 1]
    arguments = []
    for token in source.tokens[index + 2 :]:
        if token.text == ")" and token.frame == call.frame:
            break
        arguments.append(token)
    literal = arguments[-1] if arguments else call
    is_alone = len(arguments) == 1 or (len(arguments) > 1 and arguments[-2].text == ",")
    if literal.kind != "text" or not is_alone:
        raise InvalidCondition("the pattern of matches() must be a literal text", column=literal.start + 1)
    trouble = _pattern_trouble(literal.text)
    if trouble:
        raise InvalidCondition(trouble, column=literal.start + 1)


def _pattern_trouble(literal: str) -> str:
    """What is wrong with the pattern in this literal, or nothing; the run time itself reads and tries it."""
    try:
        pattern = ENVIRONMENT.compile(literal).eval().value()
    except RuntimeError:
        return ""  # no literal at all: compiling the condition says so better
    if not isinstance(pattern, str):
        return ""
    if len(pattern) > LONGEST_PATTERN:
        return f"a pattern has at most {LONGEST_PATTERN} characters"
    if _weight(pattern) > _HEAVIEST_PATTERN:
        return "the pattern repeats too much; use smaller counts"
    answer = ENVIRONMENT.compile(f"''.matches({literal})").eval().value()
    return "" if isinstance(answer, bool) else f"not a valid pattern: {str(answer).rsplit(': ', 2)[1]}"


def _weight(pattern: str) -> int:
    """The number of characters of the pattern once its counted repetitions are written out."""
    groups = [0]
    last = 0
    for part in _PATTERN_PART.finditer(pattern):
        match part.lastgroup:
            case "open":
                groups.append(1)
                continue
            case "close" if len(groups) > 1:
                last = groups.pop()
            case "count":
                counts = [int(count) for count in re.findall(r"[0-9]+", part.group())]
                groups[-1] -= last
                last *= max(counts[-1], 1)
            case _:
                last = 1
        groups[-1] += last
    return sum(groups)
