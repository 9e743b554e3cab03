"""Phone numbers in text, by the numbering plans that ``phonenumbers`` knows."""

import re
from typing import Final

from phonenumbers import Leniency, NumberParseException, PhoneNumberMatcher, is_valid_number, parse

__all__ = ["has_phone", "is_phone"]

# How often the matcher may try within one text.
_TRIES: Final = 50
_INTERNATIONAL: Final = re.compile(r"(?<![\w.+-])00(?=[1-9][\d ().\-/]{6,20}\d)")
# Ways to write a number that are hardly used for anything else, by the region whose way it is.
_WRITTEN: Final = (
    ("US", re.compile(r"(?<![\w(-])\(\d{3}\) ?\d{3}[- ]\d{4}(?![\w-])")),
    ("US", re.compile(r"(?<![\w.(-])\d{3}-\d{3}-\d{4}(?![\w-])")),
    ("FR", re.compile(r"(?<![\w.-])0[1-9](?: \d\d){4}(?![\w-])")),
    ("FR", re.compile(r"(?<![\w.-])0[1-9](?:\.\d\d){4}(?![\w.-])")),
)
# Where the name of a property says that it is a phone number, a number of one of the regions with most people online is
# taken without its country.
_REGIONS: Final = (
    *("US", "DE", "FR", "GB", "IN", "BR", "ES", "IT", "NL", "PL", "JP", "AU"),
    *("MX", "TR", "ID", "CN", "KR", "ZA", "SE", "CH", "AT", "BE", "PT", "AR"),
)
_DIGITS: Final = re.compile(r"[\d\s().\-/]{6,24}\Z")


def has_phone(text: str) -> bool:
    """Whether the text holds a valid number that is written with its country, or in a way that is hardly ambiguous."""
    if "+" in text or "\uff0b" in text:  # the full-width sign
        if _has_international(text):
            return True
    elif _INTERNATIONAL.search(text) and _has_international(_INTERNATIONAL.sub("+", text)):
        return True
    return any(_is_valid(found[0], region) for region, form in _WRITTEN for found in form.finditer(text))


def is_phone(text: str) -> bool:
    """Whether the whole text is a valid number in one of the regions with most people online, without its country."""
    return bool(_DIGITS.match(text)) and any(_is_valid(text, region) for region in _REGIONS)


def _has_international(text: str) -> bool:
    matcher = PhoneNumberMatcher(text, None, leniency=Leniency.VALID, max_tries=_TRIES)
    return any(found.raw_string.lstrip("(")[:1] in "+\uff0b" for found in matcher)


def _is_valid(text: str, region: str) -> bool:
    try:
        return is_valid_number(parse(text, region))
    except NumberParseException:
        return False
