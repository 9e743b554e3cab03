"""Ids inside longer texts: which parts of a text may be the id of a user, session or device."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

__all__ = ["LONGEST_ID", "folded", "is_told_apart", "mentions_in"]

# Characters. Longer than any id of a user, session or device that we know of, an address included.
LONGEST_ID: Final = 512
# Characters of an id that can be told from other words and numbers of a text: of one with letters and anything else,
# of digits alone (shorter ones are just as well orders, prices and years), and of letters alone (shorter: words).
SHORTEST_MIXED: Final = 6
SHORTEST_NUMBER: Final = 8
SHORTEST_WORD: Final = 16
# Runs of letters and digits that one id is made of. A UUID has 5, an address seldom more than 9.
MOST_RUNS: Final = 12

# What no id has in it that stands inside a text.
_chunks: Final = re.compile(r"""[^\s"<>()\[\]{},;`\\]+""").findall
# Scripts without spaces put their letters beside an address: the change of script ends it.
_runs: Final = re.compile(r"[A-Za-z0-9]+|[^\W_A-Za-z0-9]+").finditer


def mentions_in(text: str) -> Iterator[str]:
    """Every part of the text that may be an id, some more than once: see ``is_told_apart``; none of a single run.

    A run is letters and digits, ended also where ASCII begins or ends. A part begins and ends where a run does, with
    the plus sign before it or without, and holds no space, quote, bracket, comma or semicolon. What is percent-encoded
    is read as it stands, and decoded.
    """
    if text.isascii() and text.isalnum():
        return
    yield from _parts_of(text)
    if "%" in text:
        plain = unquote(text)
        if plain != text:
            yield from _parts_of(plain)


def is_told_apart(text: str) -> bool:
    """Whether an id is long enough to be looked for inside texts.

    That is: 6 characters, but 8 of digits alone, and 16 of letters alone.
    """
    if len(text) < SHORTEST_MIXED:
        return False
    if text.isalpha():
        return len(text) >= SHORTEST_WORD
    return len(text) >= SHORTEST_NUMBER or not text.isdigit()


def folded(text: str) -> str:
    """The text as it is compared: an e-mail address in lower case, all else as it is."""
    return text.lower() if "@" in text else text


def _parts_of(text: str) -> Iterator[str]:
    for chunk in _chunks(text):
        if not is_told_apart(chunk):
            continue
        runs = [run.span() for run in _runs(chunk)]
        for first, (start, _) in enumerate(runs):
            has_sign = start and chunk[start - 1] == "+"
            for _, end in runs[first : first + MOST_RUNS]:
                if end - start < SHORTEST_MIXED:
                    continue
                if end - start > LONGEST_ID:
                    break
                part = chunk[start:end]
                if is_told_apart(part):
                    yield part
                    if has_sign:
                        yield f"+{part}"
