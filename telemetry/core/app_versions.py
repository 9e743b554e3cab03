"""Versions of apps, as far as anybody can order what apps say about themselves."""

import re
from typing import Final

__all__ = ["is_app_version", "version_order"]

# Source: what the batch API takes; without "@" and blanks, so that no address or person's name fits.
is_app_version: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]{0,63}").fullmatch
_PARTS: Final = re.compile(r"[0-9]+|[A-Za-z]+")
# After words and before numbers: "2.4.0-rc" is older than "2.4.0", which is older than "2.4.0.1".
_END: Final = (1, 0, "")


def version_order(version: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts versions from old to new: numbers by value, and a word such as ``rc`` before its release."""
    parts = (
        (2, int(part), "") if part.isdigit() else (0, 0, part.lower())
        for part in _PARTS.findall(version.partition("+")[0])
    )
    return (*parts, _END)
