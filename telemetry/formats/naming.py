"""Names that a spec may have, from whatever others call their events and properties: always the same for the same."""

import hashlib
import re
import unicodedata
from collections.abc import Hashable, Iterable
from typing import Final

__all__ = ["Names", "event_name", "property_name", "spec_name", "tag_name"]

_LETTERS: Final = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "þ": "th", "Æ": "AE", "Ø": "O"}
)
_MARKS: Final = re.compile(r"[\u0300-\u036f]")
# How much of a long name's checksum keeps it apart from others that begin alike, in hex digits.
_SUFFIX: Final = 8


def event_name(text: str) -> str:
    """The nearest name that an event may have."""
    return _fit(text, unusable=r"[^A-Za-z0-9_$.:/ -]", begins=r"[A-Za-z_$]", longest=200, instead="event")


def property_name(text: str) -> str:
    """The nearest name that a property may have."""
    return _fit(text, unusable=r"[^A-Za-z0-9_$. -]", begins=r"[A-Za-z_$]", longest=128, instead="property")


def spec_name(text: str) -> str:
    """The nearest name that a spec may have: lower-case words, joined by dots where the text has dots."""
    if len(text) <= 128 and re.fullmatch(r"[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)*", text):
        return text
    lowered = re.sub(r"[^a-z0-9._-]+", "_", _ascii(text).lower())
    words = [word.strip("_-") for word in lowered.split(".")]
    name = ".".join(word for word in words if word)
    return _fit(name, unusable=r"[^a-z0-9._-]", begins=r"[a-z]", longest=128, instead="imported", before="x")


def tag_name(text: str) -> str:
    """The nearest tag."""
    return _fit(text, unusable=r"[^A-Za-z0-9_.:/-]", begins=r"[A-Za-z0-9]", longest=64, instead="tag", before="x")


def _fit(text: str, *, unusable: str, begins: str, longest: int, instead: str, before: str = "_") -> str:
    if text and len(text) <= longest and re.match(begins, text) and not re.search(unusable, text):
        return text
    name = re.sub(unusable, "_", _ascii(text).strip()) or instead
    if not re.match(begins, name):
        name = f"{before}{name}"
    if len(name) > longest:
        name = f"{name[: longest - _SUFFIX - 1]}_{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:_SUFFIX]}"
    return name


def _ascii(text: str) -> str:
    """The text without accents; other letters as the letter u and their number, so that they stay apart."""
    plain = _MARKS.sub("", unicodedata.normalize("NFKD", text.translate(_LETTERS)))
    return "".join(letter if letter.isascii() else f"u{ord(letter):x}" for letter in plain)


class Names:
    """Names that were given already, by whatever they have to be unique within."""

    def __init__(self) -> None:
        self._given: set[Hashable] = set()
        self._reserved: set[Hashable] = set()

    def reserve(self, names: Iterable[str], *, within: Hashable = None) -> None:
        """Only who has one of these names already gets it; what is renamed does not."""
        self._reserved.update((within, name) for name in names)

    def claim(self, name: str, *, within: Hashable = None, longest: int, original: str | None = None) -> str:
        """The name, or with a number behind it, if it is given or reserved for others; from now on it is given.

        ``original`` is the name before it was made valid, if it was not.
        """
        found, number = name, 1
        while (within, found) in self._given or ((within, found) in self._reserved and found != (original or name)):
            number += 1
            suffix = f"_{number}"
            found = f"{name[: longest - len(suffix)]}{suffix}"
        self._given.add((within, found))
        return found
