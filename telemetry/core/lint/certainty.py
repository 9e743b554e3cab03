"""What is certain about a condition before any event has come: that it never holds, or that it always does.

A condition holds for an event only when it evaluates to true; what cannot be evaluated does not hold. It is brought
into alternatives of conjunctions; one of those is impossible when it asks two things of one variable that no value is.
What cannot be told is never claimed.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Final, NamedTuple

from telemetry.core.enums import PropertyType
from telemetry.core.lint.formula import Comparison, Constant, Formula, Junction, Negation, Opaque, Presence, Scalar

__all__ = ["Variable", "always_holds", "never_holds"]

# Alternatives that are looked at; conditions that people write have a handful.
_MOST_ALTERNATIVES: Final = 256


class Variable(NamedTuple):
    """What is known of a variable; ``is_required`` says that no event without it gets as far as a condition.

    With ``allowed``, its value is one of these.
    """

    type: PropertyType
    is_required: bool = False
    allowed: tuple[Scalar, ...] = ()


Variables = Mapping[str, Variable]
# Something simple that is claimed to be true, or claimed to be false.
Claim = tuple[Constant | Comparison | Presence | Opaque, bool]


def never_holds(formula: Formula, variables: Variables) -> bool:
    """Whether it is certain that the condition holds for no event."""
    alternatives = _alternatives(formula, True)
    return alternatives is not None and all(_is_impossible(claims, variables) for claims in alternatives)


def always_holds(formula: Formula, variables: Variables) -> bool:
    """Whether it is certain that the condition holds for every event."""
    alternatives = _alternatives(formula, False)
    is_false_nowhere = alternatives is not None and all(_is_impossible(claims, variables) for claims in alternatives)
    return is_false_nowhere and _never_fails(formula, variables)


def _alternatives(formula: Formula, is_true: bool) -> list[tuple[Claim, ...]] | None:
    """Conjunctions of which one must be so for the formula to be true (or false); ``None`` when there are too many.

    In CEL, ``&&`` and ``||`` do not fail when one side decides, so that De Morgan's laws hold for failures too.
    """
    if isinstance(formula, Negation):
        return _alternatives(formula.part, not is_true)
    if not isinstance(formula, Junction):
        return [((formula, is_true),)]
    parts = [_alternatives(part, is_true) for part in formula.parts]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    if (formula.operator == "||") is is_true:
        joined = [claims for part in known for claims in part]
        return joined if len(joined) <= _MOST_ALTERNATIVES else None
    count = 1
    for part in known:
        count *= len(part)
    if count > _MOST_ALTERNATIVES:
        return None
    return [tuple(claim for claims in chosen for claim in claims) for chosen in product(*known)]


def _is_impossible(claims: Sequence[Claim], variables: Variables) -> bool:
    """Whether no event can make all claims come true together."""
    if any(isinstance(atom, Constant) and atom.value is not is_true for atom, is_true in claims):
        return True
    opaque = {claim for claim in claims if isinstance(claim[0], Opaque)}
    if any((atom, not is_true) in opaque for atom, is_true in opaque):
        return True
    about: dict[str, list[tuple[Comparison | Presence, bool]]] = {}
    for atom, is_true in claims:
        if isinstance(atom, Comparison | Presence):
            about.setdefault(atom.variable, []).append((atom, is_true))
    return any(_contradict(found, variables.get(name)) for name, found in about.items())


def _contradict(claims: list[tuple[Comparison | Presence, bool]], variable: Variable | None) -> bool:
    """Whether no value of one variable, nor its absence, makes all claims come true."""
    absent = any(isinstance(atom, Presence) and not is_true for atom, is_true in claims)
    # Whatever is compared is there: a comparison with what is absent cannot be evaluated.
    present = any(isinstance(atom, Comparison) or is_true for atom, is_true in claims)
    if absent:
        return present or (variable is not None and variable.is_required)
    values = _Values(variable)
    for atom, is_true in claims:
        if isinstance(atom, Comparison):
            values.restrict(atom, is_true)
    return values.is_empty()


class _Values:
    """The values that a variable can still have."""

    def __init__(self, variable: Variable | None) -> None:
        self._among: set[Scalar] | None = set(variable.allowed) if variable and variable.allowed else None
        if variable is not None and variable.type is PropertyType.BOOLEAN:
            self._among = {("bool", True), ("bool", False)}
        self._excluded: set[Scalar] = set()
        # Limits, each with whether it is a value itself.
        self._lowest: tuple[float, bool] | None = None
        self._highest: tuple[float, bool] | None = None

    def restrict(self, atom: Comparison, is_true: bool) -> None:
        """Only values remain for which the comparison is true, or false."""
        if atom.operator == "in":
            if not is_true:
                self._excluded.update(atom.values)
            else:
                self._among = set(atom.values) if self._among is None else self._among & set(atom.values)
            return
        limit = float(atom.values[0][1])
        operator = atom.operator if is_true else _OPPOSITE[atom.operator]
        if operator in (">", ">="):
            found = (limit, operator == ">=")
            self._lowest = found if self._lowest is None else max(self._lowest, found, key=_from_below)
        else:
            found = (limit, operator == "<=")
            self._highest = found if self._highest is None else min(self._highest, found, key=_from_above)

    def is_empty(self) -> bool:
        """Whether no value remains."""
        if self._among is not None:
            return not any(self._admits(value) for value in self._among - self._excluded)
        if self._lowest is None or self._highest is None:
            return False
        (low, has_low), (high, has_high) = self._lowest, self._highest
        if low == high:
            return not (has_low and has_high) or ("number", low) in self._excluded
        return low > high

    def _admits(self, value: Scalar) -> bool:
        if self._lowest is None and self._highest is None:
            return True
        kind, number = value
        if kind != "number" or isinstance(number, str):
            return False
        above = self._lowest is None or number > self._lowest[0] or (self._lowest[1] and number == self._lowest[0])
        below = self._highest is None or number < self._highest[0] or (self._highest[1] and number == self._highest[0])
        return above and below


_OPPOSITE: Final = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def _from_below(limit: tuple[float, bool]) -> tuple[float, bool]:
    """Orders lower limits from wide to narrow."""
    return limit[0], not limit[1]


def _from_above(limit: tuple[float, bool]) -> tuple[float, bool]:
    """Orders upper limits from narrow to wide."""
    return limit


def _never_fails(formula: Formula, variables: Variables) -> bool:
    """Whether every part of the formula can be evaluated for every event."""
    return all(_is_safe(atom, variables) for atom in _atoms(formula))


def _is_safe(atom: Formula, variables: Variables) -> bool:
    if isinstance(atom, Presence):
        return True
    if isinstance(atom, Constant):
        return atom.value is not None
    if not isinstance(atom, Comparison):
        return False
    known = variables.get(atom.variable)
    return known is not None and known.is_required and known.type is not PropertyType.JSON


def _atoms(formula: Formula) -> Iterator[Formula]:
    """The simple parts; of a junction that one constant part decides, only that one."""
    if isinstance(formula, Negation):
        yield from _atoms(formula.part)
    elif isinstance(formula, Junction):
        decisive = next((part for part in formula.parts if part == Constant(formula.operator == "||")), None)
        for part in formula.parts if decisive is None else (decisive,):
            yield from _atoms(part)
    else:
        yield formula
