"""Recognising personal data and secrets in one value of an event: a text, a number, or anything that JSON holds."""

import re
from collections.abc import Iterator
from typing import Any, Final

from telemetry.detection.accounts import has_iban
from telemetry.detection.addresses import has_ip_address
from telemetry.detection.cards import has_card, is_card
from telemetry.detection.credentials import has_secret, is_secret
from telemetry.detection.detector import Detector
from telemetry.detection.emails import has_email
from telemetry.detection.names import hints_of, is_version_name
from telemetry.detection.national_ids import has_national_id, is_national_id
from telemetry.detection.phones import has_phone, is_phone
from telemetry.detection.places import coordinate_names, has_coordinates, is_coordinate_pair

__all__ = ["detect", "detect_text"]

# Reading stops here: what a property holds shows at its beginning, and no text may hold up a worker.
LONGEST_TEXT: Final = 2_000
MOST_VALUES: Final = 200
DEEPEST: Final = 8

NOTHING: Final[frozenset[Detector]] = frozenset()
_ADDRESS: Final = frozenset({Detector.IP_ADDRESS})
# The commonest texts that look like more than a word: ids of machines, and instants. No person is found by their form.
_HARMLESS: Final = re.compile(
    r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\Z"
    r"|\d{4}-[01]\d-[0-3]\d(?:[T ][0-2]\d:[0-5]\d(?::[0-6]\d(?:[.,]\d{1,9})?)?(?:Z|[+-][01]\d:?[0-5]\d)?)?\Z"
)
# Numbers that people are found by have six digits at least, with two signs between two of them at most; the address of
# a machine may have letters between colons instead; the Italian tax number has six letters before two digits.
_DIGITS: Final = re.compile(r"\d(?:[ .,()/:+-]{0,2}\d){5}|:[0-9a-fA-F]{0,4}:|°|\b[A-Z]{6}\d\d")
_SHORTEST: Final = 5
_BY_DIGITS: Final = (
    (Detector.PHONE, has_phone),
    (Detector.PAYMENT_CARD, has_card),
    (Detector.IBAN, has_iban),
    (Detector.IP_ADDRESS, has_ip_address),
    (Detector.COORDINATES, has_coordinates),
    (Detector.NATIONAL_ID, has_national_id),
)
# What the name of the property must vouch for: the whole text is such a value, in a form that others have too.
_BY_NAME: Final = (
    (Detector.PHONE, is_phone),
    (Detector.SECRET, is_secret),
    (Detector.NATIONAL_ID, is_national_id),
)


def detect(name: str, value: Any) -> frozenset[Detector]:
    """What is recognised in the value of a property of this name; of JSON, in its first 200 values to eight levels.

    The value is not changed, and nothing of it is kept. Never raises for what an event may hold.
    """
    if type(value) is str:
        found = detect_text(value, hints_of(name))
        return found - _ADDRESS if found and is_version_name(name) else found
    if type(value) is int or type(value) is float:
        return _detect_number(value, hints_of(name))
    if type(value) is dict or type(value) is list or type(value) is tuple:
        return frozenset().union(*_Walk().through(name, value, 1))
    return NOTHING


def detect_text(text: str, hints: frozenset[Detector] = NOTHING) -> frozenset[Detector]:
    """What is recognised in the first 2,000 characters; ``hints`` are what the property's name says to expect."""
    if len(text) < _SHORTEST:
        return NOTHING
    if len(text) > LONGEST_TEXT:
        text = text[:LONGEST_TEXT]
    if _HARMLESS.match(text):
        return NOTHING
    found: set[Detector] = set()
    if ("@" in text or "%40" in text) and has_email(text):
        found.add(Detector.EMAIL)
    if _DIGITS.search(text):
        found.update(detector for detector, has in _BY_DIGITS if has(text))
    if has_secret(text):
        found.add(Detector.SECRET)
    for detector, is_one in _BY_NAME:
        if detector in hints and detector not in found and is_one(text.strip()):
            found.add(detector)
    return frozenset(found)


def _detect_number(value: float, hints: frozenset[Detector]) -> frozenset[Detector]:
    """Numbers are taken for a card's digits; for others only if the name says so."""
    if type(value) is not int or not 10**5 <= value < 10**19:
        return NOTHING
    digits = str(value)
    if is_card(digits):
        return frozenset({Detector.PAYMENT_CARD})
    return detect_text(digits, hints) if hints else NOTHING


class _Walk:
    """Goes through JSON, and counts what it meets."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = MOST_VALUES

    def through(self, name: str, value: Any, depth: int) -> Iterator[frozenset[Detector]]:
        """What is recognised in each part; ``name`` is that of the innermost property."""
        if type(value) is dict:
            if coordinate_names(value):
                yield frozenset({Detector.COORDINATES})
            parts: Any = value.items()
        else:
            if len(value) in (2, 3) and is_coordinate_pair(value[0], value[1]):
                yield frozenset({Detector.COORDINATES})
            parts = ((name, item) for item in value)
        for key, item in parts:
            self._left -= 1
            if self._left < 0:
                return
            if type(item) is dict or type(item) is list or type(item) is tuple:
                if depth < DEEPEST:
                    yield from self.through(key, item, depth + 1)
            else:
                yield detect(key, item)
