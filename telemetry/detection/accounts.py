"""International bank account numbers in text."""

import re
from typing import Final

from stdnum import iban

__all__ = ["has_iban"]

# Source: ISO 13616: country, two check digits, up to 30 letters and digits, printed in groups of four.
_RUN: Final = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}[A-Za-z0-9]{11,30}(?![A-Za-z0-9])", re.ASCII)
_GROUPS: Final = re.compile(
    r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}([ -])[A-Z0-9]{4}(?:\1[A-Z0-9]{4}){1,6}(?:\1[A-Z0-9]{1,3})?(?![A-Za-z0-9])", re.ASCII
)


def has_iban(text: str) -> bool:
    """Whether the text holds an account number whose country's form and check digits are right."""
    return any(iban.is_valid(found[0]) for form in (_RUN, _GROUPS) for found in form.finditer(text))
