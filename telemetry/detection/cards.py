"""Numbers of payment cards in text: the networks' ranges, their lengths, and the check digit."""

import re
from typing import Final

from stdnum import luhn

__all__ = ["has_card", "is_card"]

# Digits in one run, or in the groups that are printed on cards: 4-4-4-4 with up to 3 more, 4-6-5 and 4-6-4.
_CANDIDATE: Final = re.compile(
    r"(?<![\w.+-])(?:\d{14,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{1,3})?|\d{4}([ -])\d{6}\2\d{4,5})(?![\w-])(?!\.\d)"
)
_SEPARATORS: Final = str.maketrans("", "", " -")
# Source: ISO/IEC 7812 issuer ranges as the networks publish them. Visa numbers of 13 digits are no longer issued, and
# Maestro's wide range would take every tenth number of 12 to 19 digits that begins with 5 or 6.
_NETWORKS: Final = re.compile(
    r"4\d{15}(?:\d{3})?"  # Visa
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|(?:6011|65\d\d|64[4-9]\d)\d{12}"  # Discover
    r"|(?:352[89]|35[3-8]\d)\d{12}"  # JCB
    r"|3(?:0[0-5]|[689]\d)\d{11}"  # Diners Club
    r"|62\d{14}(?:\d{3})?"  # UnionPay
)


def has_card(text: str) -> bool:
    """Whether the text holds the number of a payment card."""
    return any(is_card(found[0].translate(_SEPARATORS)) for found in _CANDIDATE.finditer(text))


def is_card(digits: str) -> bool:
    """Whether these digits are the number of a payment card."""
    return _NETWORKS.fullmatch(digits) is not None and luhn.is_valid(digits)
