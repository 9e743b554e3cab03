"""What an answer may be: from the text that somebody types to a value of a spec, or the reason why not."""

from collections.abc import Callable, Collection, Iterable
from typing import Any, Final, Generic, NamedTuple, TypeVar

import msgspec

from telemetry.core.conditions import compile_condition
from telemetry.core.descriptions import FIELD_DESCRIPTIONS
from telemetry.core.errors import InvalidCondition
from telemetry.core.spec import PropertyDefinition
from telemetry.core.validation import read_value

__all__ = [
    "NotAnAnswer",
    "Question",
    "choice",
    "condition",
    "field",
    "flag",
    "help_of",
    "listed",
    "more",
    "number",
    "optional",
    "optional_number",
    "unique",
    "words_of",
]

T = TypeVar("T")
_YES: Final = ("y", "yes", "true")
_NO: Final = ("n", "no", "false")


class NotAnAnswer(Exception):
    """The text is no answer to the question; the message says what would be one."""


class Question(NamedTuple, Generic[T]):
    """One question. ``key`` tells it from all others; ``default`` is the text that an empty answer stands for.

    ``read`` makes the value of a text, or raises ``NotAnAnswer``. ``help`` is shown on demand, ``words`` beside the
    question. ``flag`` is the option of the command line that answers it.
    """

    key: str
    text: str
    read: Callable[[str], T]
    default: str | None = None
    help: str = ""
    words: str = ""
    flag: str = ""


def field(type_: type[msgspec.Struct], name: str) -> Callable[[str], Any]:
    """Reads the text of a field, under the rules that the type has for it."""
    [found] = [each for each in msgspec.structs.fields(type_) if each.name == name]

    def read(text: str) -> Any:
        return _checked(text, found.type)

    return read


def number(type_: type[msgspec.Struct], name: str) -> Callable[[str], Any]:
    """Reads a number as the value of a field, under the rules that the type has for it."""
    [found] = [each for each in msgspec.structs.fields(type_) if each.name == name]

    def read(text: str) -> Any:
        try:
            value: float = int(text)
        except ValueError:
            try:
                value = float(text)
            except ValueError:
                raise NotAnAnswer("must be a number") from None
        return _checked(value, found.type)

    return read


def _checked(value: object, type_: Any) -> Any:
    found, errors = read_value(value, type_)
    if errors:
        raise NotAnAnswer(errors[0].message)
    return found


def listed(type_: type[msgspec.Struct], name: str) -> Callable[[str], tuple[str, ...]]:
    """Reads words that commas part, as the values of a field that holds several."""
    [found] = [each for each in msgspec.structs.fields(type_) if each.name == name]

    def read(text: str) -> tuple[str, ...]:
        words = [word.strip() for word in text.split(",") if word.strip()]
        value, errors = read_value(words, found.type)
        if errors:
            place = errors[0].path.strip("[]")
            which = f"'{words[int(place)]}' " if place.isdigit() else ""
            raise NotAnAnswer(f"{which}{errors[0].message}")
        return tuple(value or ())

    return read


def choice(words: Collection[str]) -> Callable[[str], str]:
    """Reads one of some words, or the beginning of one that no other shares."""

    def read(text: str) -> str:
        said = text.lower()
        found = [word for word in words if word == said] or [word for word in words if word.startswith(said)]
        if len(found) != 1 or not said:
            raise NotAnAnswer(f"must be one of: {', '.join(words)}")
        return found[0]

    return read


def flag(text: str) -> bool:
    """Reads yes or no."""
    said = text.lower()
    if said not in (*_YES, *_NO):
        raise NotAnAnswer("must be y or n")
    return said in _YES


def optional(read: Callable[[str], T]) -> Callable[[str], T | None]:
    """Reads what ``read`` reads, and nothing as nothing."""
    return lambda text: read(text) if text else None


def unique(read: Callable[[str], T], taken: Collection[T], message: str) -> Callable[[str], T]:
    """Reads what ``read`` reads, unless it is taken."""

    def read_unique(text: str) -> T:
        value = read(text)
        if value in taken:
            raise NotAnAnswer(message)
        return value

    return read_unique


def condition(properties: dict[str, PropertyDefinition]) -> Callable[[str], str]:
    """Reads a condition over these properties."""

    def read(text: str) -> str:
        try:
            compile_condition(text, properties, {})
        except InvalidCondition as error:
            raise NotAnAnswer(error.message) from None
        return text

    return read


def optional_number(type_: type[msgspec.Struct], name: str) -> Callable[[str], Any]:
    """Reads a number as the value of a field, and nothing as nothing."""
    return optional(number(type_, name))


def more(what: str, index: int, text: str) -> Question[bool]:
    """Whether there is one more of something; there is none unless somebody says so."""
    return Question(f"{what}.{index}", text, flag, default="n", words="y or n")


def help_of(type_: type[msgspec.Struct], name: str) -> str:
    """What a field means, in one sentence."""
    return FIELD_DESCRIPTIONS[type_][name]


def words_of(words: Iterable[str]) -> str:
    """The words, parted by commas."""
    return ", ".join(words)
