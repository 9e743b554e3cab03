"""Names cut into words: ``userIPAddress``, ``user_ip-address`` and ``User IP address`` are the same three."""

import re
from functools import lru_cache
from typing import Final

__all__ = ["singular", "word_set", "words_of"]

# An abbreviation ends before the capital of the next word: "HTTPServer" is "http" and "server".
_WORD: Final = re.compile(r"[Ii][Pp]v[46]|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
# As many distinct names as a large workspace has; linting again must not cut them again.
_REMEMBERED: Final = 20_000


def word_set(*lines: str) -> frozenset[str]:
    """The words of these lines, which blanks part; for lists of words in code."""
    return frozenset(word for line in lines for word in line.split())


@lru_cache(maxsize=_REMEMBERED)
def words_of(name: str) -> tuple[str, ...]:
    """The words of a name or text in lower case; digits are words of their own, all other characters part words."""
    return tuple(word.lower() for word in _WORD.findall(name))


def singular(word: str) -> str:
    """The word without the plain English plural: ``addresses`` to ``address``; too short ones stay."""
    if word.endswith("sses"):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
