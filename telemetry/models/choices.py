"""The core's enumerations as choices of Django fields."""

from enum import StrEnum

__all__ = ["choices_of", "values_of"]


def choices_of(enumeration: type[StrEnum]) -> list[tuple[str, str]]:
    """Pairs of stored word and shown label, in the order of the enumeration."""
    return [(member.value, member.value.replace("_", " ")) for member in enumeration]


def values_of(enumeration: type[StrEnum]) -> list[str]:
    """The stored words, in the order of the enumeration; for check constraints."""
    return [member.value for member in enumeration]
