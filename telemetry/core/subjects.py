"""Whether an event is about a person who is known by pseudonyms alone."""

import re
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

import msgspec

from telemetry.core.errors import FieldError
from telemetry.core.mentions import LONGEST_ID, folded, mentions_in
from telemetry.core.pseudonyms import Renaming, is_pseudonym

__all__ = ["LONGEST_ID", "SubjectMatcher", "subject_id_errors", "texts_in"]

# Words come again, and to look one up is a sixth of making its pseudonym. Some megabytes.
_MOST_REMEMBERED: Final = 1 << 15
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# A percent sign that is not part of a percent-encoded byte. Source: RFC 3986, section 2.1.
_BARE_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
# Every place where something written like a pseudonym begins, also inside another text.
_written_like_pseudonyms: Final = re.compile(r"(?=(p[0-9]{1,10}_[A-Za-z0-9_-]{22}))").findall
_decode: Final = msgspec.json.decode


class SubjectMatcher:
    """Finds events about one person: those that hold one of the ``pseudonyms`` anywhere, or the id itself.

    The id is not known here. A value, or a part of a longer text that may be an id (``mentions_in``), is the id if its
    pseudonym under ``probe``, the key of one of the pseudonyms, is among them: so also a property that a spec left
    unprotected is found. An e-mail address is found in upper case as well, if its pseudonym in lower case is known.
    """

    __slots__ = ("_is_id", "_probe", "pseudonyms")

    def __init__(self, pseudonyms: Collection[str], probe: Renaming) -> None:
        """``ValueError`` without pseudonyms, or for one that is none."""
        if not pseudonyms or not all(map(is_pseudonym, pseudonyms)):
            raise ValueError("a person is known by at least one pseudonym")
        self.pseudonyms = frozenset(pseudonyms)
        self._probe = probe
        self._is_id = lru_cache(_MOST_REMEMBERED)(self._look_up)

    def is_about(self, *documents: str) -> bool:
        """Whether one of the JSON documents, given as text, is about the person."""
        if any(map(self._names, documents)):
            return True
        return any(document != "{}" and self._tells_id(_decode(document)) for document in documents)

    def holds_id(self, value: Any) -> bool:
        """Whether the value, or one inside it, is or mentions an id of the person, or holds a pseudonym of theirs."""
        return any(map(self._names, texts_in(value))) or self._tells_id(value)

    def _names(self, text: str) -> bool:
        return not self.pseudonyms.isdisjoint(_written_like_pseudonyms(text))

    def _tells_id(self, value: Any) -> bool:
        # A pseudonym is no id, and most events have several.
        return any(self._mentions(text) for text in texts_in(value) if not is_pseudonym(text))

    def _mentions(self, text: str) -> bool:
        return (len(text) <= LONGEST_ID and self._is_id(text)) or any(map(self._is_id, mentions_in(text)))

    def _look_up(self, text: str) -> bool:
        if self._probe.pseudonym(text) in self.pseudonyms:
            return True
        plain = folded(text)
        return plain != text and self._probe.pseudonym(plain) in self.pseudonyms


def texts_in(value: Any) -> Iterator[str]:
    """Every text inside a JSON value that may be or hold an id: texts and whole numbers, keys of objects too."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            if each:
                yield each
        elif isinstance(each, dict):
            waiting.extend(each)
            waiting.extend(each.values())
        elif isinstance(each, list | tuple):
            waiting.extend(each)
        elif isinstance(each, int | float) and not isinstance(each, bool) and each == each // 1:
            # As ``redaction`` names whole numbers.
            yield str(int(each))


def subject_id_error(path: str, text: str) -> FieldError | None:
    """The rule that a person's id breaks; the message never repeats it.

    Ids are compared whole, so what reads like a pattern is a mistake that would find nobody.
    """
    if not any(character.isalnum() for character in text):
        return FieldError("empty", path, "expected the id of a user, session or device, with a letter or digit")
    if len(text) > LONGEST_ID:
        return FieldError("too_long", path, f"expected at most {LONGEST_ID} characters")
    if _CONTROL.search(text):
        return FieldError("bad_character", path, "expected one line without control characters")
    if "*" in text or _BARE_PERCENT.search(text):
        return FieldError("wildcard", path, "expected one whole id: '*' and '%' stand for nothing here")
    if is_pseudonym(text):
        message = "expected the id as the app knows it, and this is a pseudonym: it is known under one key only"
        return FieldError("pseudonym", path, message)
    return None


def subject_id_errors(ids: Iterable[str], path: str) -> list[FieldError]:
    """The rules that the ids break, each at its place."""
    found = (subject_id_error(f"{path}[{place}]", text) for place, text in enumerate(ids))
    return [error for error in found if error is not None]
