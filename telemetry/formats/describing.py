"""One text for what and why, as most formats have it, and back."""

import re
from typing import Final

__all__ = ["join_description", "split_description"]

_LONGEST_WHAT: Final = 200
_PARAGRAPH: Final = re.compile(r"\n[ \t]*\n\s*")
# Where a long paragraph is parted, by preference: after a sentence, between words, anywhere.
_SENTENCE: Final = re.compile(r"(?s)(.{1,199}[.!?:;])\s+(.+)")
_WORDS: Final = re.compile(r"(?s)(.{1,200})\s+(.+)")


def split_description(text: str) -> tuple[str, str]:
    """What happened, in at most 200 characters, and the rest, which may be empty; space at the ends is left out."""
    stripped = text.strip()
    what, _, why = _part(stripped, _PARAGRAPH.search(stripped))
    if len(what) <= _LONGEST_WHAT:
        return what, why
    found = _SENTENCE.match(what) or _WORDS.match(what)
    head, tail = (found[1], found[2]) if found else (what[:_LONGEST_WHAT], what[_LONGEST_WHAT:])
    return head.strip(), f"{tail}\n\n{why}" if why else tail


def _part(text: str, place: re.Match[str] | None) -> tuple[str, str, str]:
    if place is None:
        return text, "", ""
    return text[: place.start()].rstrip(), place[0], text[place.end() :]


def join_description(what: str, why: str) -> tuple[str, bool]:
    """One text that says both, and whether ``split_description`` gets the same two from it."""
    text = f"{what}\n\n{why}" if why else what
    return text, split_description(text) == (what, why)
