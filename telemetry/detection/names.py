"""What the name of a property says about its values."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from telemetry.core.enums import PropertyType
from telemetry.core.lint.personal import is_secret_name, personal_kind
from telemetry.core.lint.words import word_set, words_of
from telemetry.detection.detector import Detector

__all__ = ["hints_of", "is_personal_name", "is_version_name"]

# What is longer is no name, and must not be remembered: clients make names up.
LONGEST_NAME: Final = 128
_REMEMBERED: Final = 20_000

_NO_HINTS: Final[frozenset[Detector]] = frozenset()
# By the words in which the core says what personal data a name speaks of.
_BY_KIND: Final[Mapping[str, frozenset[Detector]]] = {
    "an e-mail address": frozenset({Detector.EMAIL}),
    "a phone number": frozenset({Detector.PHONE}),
    "an IP address": frozenset({Detector.IP_ADDRESS}),
    "a place on the map": frozenset({Detector.COORDINATES}),
    "a government number": frozenset({Detector.NATIONAL_ID}),
    "bank or card details": frozenset({Detector.IBAN, Detector.PAYMENT_CARD}),
}
# What national numbers are called where they are issued.
_NATIONAL: Final = word_set(
    "cpf pesel bsn dni nie nif curp rut aadhaar pan codicefiscale personnummer fodselsnummer cpr hetu egn cnp oib",
    "nir insee idnr steuerid tckimlik kimlik rrn nhs pps amka ahv taxid nationalid",
)
_PHONES: Final = word_set("tel mobile whatsapp cellphone handy telefon telefono telephone portable")
_VERSIONS: Final = word_set("version versions release build firmware driver")


def hints_of(name: str) -> frozenset[Detector]:
    """What values of a property of this name are expected to be; empty for most names."""
    return _hints_of(name) if len(name) <= LONGEST_NAME else _NO_HINTS


@lru_cache(maxsize=_REMEMBERED)
def _hints_of(name: str) -> frozenset[Detector]:
    words = words_of(name)
    if not words:
        return _NO_HINTS
    hints = set(_BY_KIND.get(personal_kind(name, PropertyType.STRING) or "", _NO_HINTS))
    if is_secret_name(name):
        hints.add(Detector.SECRET)
    if words[-1] in _PHONES:
        hints.add(Detector.PHONE)
    if not _NATIONAL.isdisjoint((*words, "".join(words))):
        hints.add(Detector.NATIONAL_ID)
    return frozenset(hints)


def is_version_name(name: str) -> bool:
    """Whether values of a property of this name are expected to be versions, which resemble IP addresses."""
    return len(name) <= LONGEST_NAME and not _VERSIONS.isdisjoint(words_of(name))


def is_personal_name(name: str, type_: PropertyType) -> bool:
    """Whether the name alone says that values of this type are personal data or let somebody in."""
    if len(name) > LONGEST_NAME:
        return False
    return personal_kind(name, type_) is not None or is_secret_name(name, type_)
