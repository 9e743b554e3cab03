"""Conditions: how they are compiled, and whether they hold.

Source: CEL, https://cel.dev; the run time is Google's C++ implementation (`cel-expr-python`). Two things are added for
authors: whole literals may be compared with numbers (``properties.durationMs > 100``), and ``has(properties.name)``
asks whether a property is there.
"""

from collections.abc import Mapping
from typing import Any

from telemetry.core.conditions.compiler import compile_source
from telemetry.core.conditions.limits import LONGEST_CONDITION, check_limits
from telemetry.core.conditions.source import ConditionSource
from telemetry.core.conditions.variables import ENVIRONMENT, Binding, Names, Typed, bind_names
from telemetry.core.errors import InvalidCondition
from telemetry.core.events import Context
from telemetry.core.payload import is_unicode

__all__ = ["Condition", "compile_condition"]


class Condition:
    """A compiled condition; immutable, and safe to share between threads."""

    __slots__ = ("_presences", "_program", "_values", "expression")

    def __init__(self, expression: str, program: Any, binding: Binding) -> None:
        self.expression = expression
        self._program = program
        self._values = binding.values
        self._presences = binding.presences

    def __repr__(self) -> str:
        return f"Condition({self.expression!r})"

    def holds(self, properties: Mapping[str, Any], context: Context) -> bool:
        """Whether the condition is true of this event.

        One that cannot be evaluated is not: a property or field that it needs is absent or of another type, a division
        by zero, too many iterations. Never raises.
        """
        data: dict[str, Any] = {}
        for variable, read in self._values:
            value = read(properties, context)
            if value is not None:
                data[variable] = value
        for variable, read in self._presences:
            data[variable] = read(properties, context) is not None
        try:
            return self._program.eval(data=data).value() is True
        except (ArithmeticError, RuntimeError, TypeError, ValueError):
            return False


def compile_condition(
    expression: str, properties: Mapping[str, Typed], context_properties: Mapping[str, Typed]
) -> Condition:
    """The condition, checked against the declared types.

    Text is CEL ``string``, number ``double``, boolean ``bool``, timestamp ``timestamp``, json ``dyn``; the context has
    ``tenantId``, ``organizationId``, ``userId``, ``sessionId``, ``deviceId``, ``actor`` and ``channel`` (text), and
    ``metadata`` by declaration. A property whose name is no identifier is written in backticks:
    ``properties.`Product Id```; one with ``$`` in its name cannot be named.
    Raises ``InvalidCondition``, with the column in ``expression``, for what does not compile, is not boolean, or may
    cost too much (see ``limits``).
    """
    if len(expression) > LONGEST_CONDITION:
        raise InvalidCondition(f"too long: at most {LONGEST_CONDITION} characters")
    if not is_unicode(expression):
        raise InvalidCondition("not valid Unicode text")
    source = ConditionSource(expression)
    check_limits(source)
    names = Names(properties, context_properties)
    binding = bind_names(source, names)
    return Condition(expression, compile_source(source, ENVIRONMENT, names), binding)
