"""Names that read like personal data, like an identifier of somebody, or like a secret.

Whole words are compared, never parts of words: ``tooltip`` holds no IP address, ``shipping`` neither. What a name does
not say, nobody can tell from it; the lists name what teams do collect, in the words in which they do.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import chain
from typing import Final

from telemetry.core.enums import PropertyType
from telemetry.core.lint.words import singular, word_set, words_of

__all__ = ["is_identifier_name", "is_secret_name", "personal_kind"]

Phrase = tuple[str, ...]
_REMEMBERED: Final = 20_000


def _phrases(*texts: str) -> tuple[Phrase, ...]:
    return tuple(tuple(text.split()) for text in texts)


def _each_with(firsts: str, *seconds: str) -> tuple[Phrase, ...]:
    return tuple((first, second) for first in firsts.split() for second in seconds)


_PEOPLE: Final = (
    "user customer client member visitor subscriber person patient employee student driver guest contact profile "
    "player author owner creator recipient sender buyer seller cardholder"
)
# By what they are, in words for a message. Source: the identifiers that GDPR article 4(1) and 9(1) and NIST SP 800-122
# (section 2.1) name, as far as events carry them.
_PERSONAL: Final[Mapping[str, tuple[Phrase, ...]]] = {
    "an e-mail address": _phrases("email", "e mail", "mail address", "emailaddress"),
    "a phone number": _phrases("phone", "telephone", "phonenumber", "mobile number", "cell number", "fax", "msisdn"),
    "a person's name": (
        *_phrases("firstname", "lastname", "fullname", "surname", "username", "nickname", "forename"),
        *_each_with(f"first last full given family middle maiden nick real legal display login {_PEOPLE}", "name"),
    ),
    "a postal address": (
        *_phrases("zipcode", "zip code", "postcode", "post code", "postal code", "street"),
        *_each_with(f"home street billing shipping delivery postal mailing residential {_PEOPLE}", "address"),
    ),
    "an IP address": _phrases("ip", "ipv4", "ipv6", "ipaddress", "remote addr", "remote address"),
    "a date of birth": _phrases("birth", "birthday", "birthdate", "birthyear", "dob", "date of birth"),
    "a place on the map": _phrases(
        "lat", "lng", "lon", "latitude", "longitude", "latlng", "geolocation", "geo point", "gps", "coordinates"
    ),
    "a government number": _phrases(
        "ssn", "social security", "passport", "national id", "tax id", "driver license", "driving licence", "nino"
    ),
    "bank or card details": _phrases(
        "iban", "card number", "cardnumber", "credit card", "debit card", "bank account", "routing number", "sort code"
    ),
    "a trait of a person": _phrases(
        "gender", "ethnicity", "nationality", "religion", "marital status", "sexual orientation", "diagnosis", "salary"
    ),
}
# These words name personal data only where they stand alone: "product name" and "memory address" do not.
_PERSONAL_ALONE: Final[Mapping[Phrase, str]] = {
    ("name",): "a person's name",
    ("address",): "a postal address",
    ("card",): "bank or card details",
    ("zip",): "a postal address",
}
_BIRTH: Final = "a date of birth"

_SECRETS: Final = frozenset(
    (
        *_phrases("password", "passwd", "passphrase", "pwd", "secret", "credential", "cvv", "cvc", "jwt", "apikey"),
        *_phrases("api key", "private key", "access key", "secret key", "encryption key", "signing key", "write key"),
        *_phrases("pin code", "one time code", "security answer", "authorization", "auth header", "token", "cookie"),
    )
)
_IDENTIFIERS: Final = frozenset(
    (
        *_phrases(
            "userid", "uid", "deviceid", "sessionid", "idfa", "idfv", "gaid", "imei", "mac address", "fingerprint"
        ),
        *_each_with(
            f"{_PEOPLE} account anonymous distinct device session install installation advertising browser actor",
            *("id", "uuid", "guid", "identifier", "ref", "number"),
        ),
    )
)
# A name that ends in one of these speaks about the data, and does not hold it: "email type", "phone model".
_ABOUT: Final = word_set(
    "type kind category status state verified valid validated confirmed enabled domain provider template count length",
    "format version model brand os subject source label code prompt field consent optin opt permission attempts error",
    "errors changed shown clicked opened sent bounced",
)
_ABOUT_SECRET: Final = _ABOUT | word_set("name id prefix type path file strength policy age reset usage limit")
_HOW_MANY: Final = word_set("count total num sum average avg max min ratio rate percent index")

_KIND_OF: Final[Mapping[Phrase, str]] = {phrase: kind for kind, phrases in _PERSONAL.items() for phrase in phrases}
_LONGEST_PHRASE: Final = max(map(len, chain(_KIND_OF, _SECRETS, _IDENTIFIERS)))
_FIRST_WORDS: Final = frozenset(phrase[0] for phrase in chain(_KIND_OF, _SECRETS, _IDENTIFIERS))


@lru_cache(maxsize=_REMEMBERED)
def personal_kind(name: str, type_: PropertyType) -> str | None:
    """What personal data a property of this name and type seems to hold, in words; ``None`` when none."""
    words = words_of(name)
    if not words or not _may_hold(words, type_, _ABOUT):
        return None
    kind = _PERSONAL_ALONE.get(words) or next(filter(None, map(_KIND_OF.get, _runs(words))), None)
    return kind if type_ is not PropertyType.TIMESTAMP or kind == _BIRTH else None


@lru_cache(maxsize=_REMEMBERED)
def is_identifier_name(name: str, type_: PropertyType) -> bool:
    """Whether a property of this name and type seems to hold an identifier of a person, device or session."""
    words = words_of(name)
    if type_ not in (PropertyType.STRING, PropertyType.NUMBER) or not _may_hold(words, type_, _ABOUT):
        return False
    return not _IDENTIFIERS.isdisjoint(_runs(words))


@lru_cache(maxsize=_REMEMBERED)
def is_secret_name(name: str, type_: PropertyType = PropertyType.STRING) -> bool:
    """Whether a property or setting of this name and type seems to hold a secret that lets somebody in."""
    words = words_of(name)
    if type_ not in (PropertyType.STRING, PropertyType.JSON) or not _may_hold(words, type_, _ABOUT_SECRET):
        return False
    return not _SECRETS.isdisjoint(_runs(words))


def _may_hold(words: Phrase, type_: PropertyType, about: frozenset[str]) -> bool:
    """Whether values of the type can be the data that the name speaks of."""
    if not words or type_ is PropertyType.BOOLEAN or words[-1] in about:
        return False
    return type_ is not PropertyType.NUMBER or _HOW_MANY.isdisjoint(words)


def _runs(words: Phrase) -> Iterable[Phrase]:
    """Every run of words that can be a phrase of the lists, with its last word in the singular."""
    for start, first in enumerate(words):
        if first not in _FIRST_WORDS and singular(first) not in _FIRST_WORDS:
            continue
        for end in range(start + 1, min(start + _LONGEST_PHRASE, len(words)) + 1):
            run = words[start:end]
            yield run
            last = singular(run[-1])
            if last != run[-1]:
                yield (*run[:-1], last)
