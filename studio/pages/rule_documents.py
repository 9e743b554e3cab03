"""The page of each lint rule in ``docs/lint``, taken apart for the studio: the same text and the same examples."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from django.conf import settings

__all__ = ["ExampleLine", "RuleDocument", "rule_document"]

_FENCE: Final = re.compile(r"^```yaml[^\n]*\n(?P<yaml>.*?)^```$", re.MULTILINE | re.DOTALL)
_SECTION: Final = re.compile(r"^## (?P<title>.+)$", re.MULTILINE)


class Piece(NamedTuple):
    """A paragraph, or an example in YAML."""

    text: str
    is_example: bool


class ExampleLine(NamedTuple):
    """One line of an example; ``differs`` if the example beside it does not have it."""

    text: str
    differs: bool


class RuleDocument(NamedTuple):
    """What a rule's page says: why there is the rule, what is given in the examples, both examples, and the opt-out.

    ``context`` is empty where the examples need none.
    """

    why: tuple[Piece, ...]
    context: tuple[Piece, ...]
    bad: tuple[ExampleLine, ...]
    good: tuple[ExampleLine, ...]
    opt_out: tuple[Piece, ...]


@cache
def rule_document(rule: str) -> RuleDocument:
    """The page of a rule that exists; read once per process."""
    text = (Path(settings.BASE_DIR) / "docs" / "lint" / f"{rule}.md").read_text(encoding="utf-8")
    sections = dict(_sections(text))
    bad, good = (_example(sections[title]) for title in ("Bad", "Good"))
    pairs = SequenceMatcher(a=bad, b=good, autojunk=False).get_matching_blocks()
    in_bad = {block.a + step for block in pairs for step in range(block.size)}
    in_good = {block.b + step for block in pairs for step in range(block.size)}
    return RuleDocument(
        why=tuple(_pieces(sections["Why"])),
        context=tuple(_pieces(sections.get("Context", ""))),
        bad=tuple(ExampleLine(line, place not in in_bad) for place, line in enumerate(bad)),
        good=tuple(ExampleLine(line, place not in in_good) for place, line in enumerate(good)),
        opt_out=tuple(_pieces(sections["Opt out"])),
    )


def _sections(text: str) -> Iterator[tuple[str, str]]:
    """Title and text of each section; what stands above the first one is said by the rule itself."""
    parts = _SECTION.split(text)[1:]
    yield from zip(parts[::2], parts[1::2], strict=True)


def _pieces(section: str) -> Iterator[Piece]:
    """The section's paragraphs, each in one line, and its examples, in their order."""
    end = 0
    for fence in _FENCE.finditer(section):
        yield from _paragraphs(section[end : fence.start()])
        yield Piece(fence["yaml"].rstrip("\n"), True)
        end = fence.end()
    yield from _paragraphs(section[end:])


def _paragraphs(text: str) -> Iterator[Piece]:
    for paragraph in text.split("\n\n"):
        if paragraph.strip():
            yield Piece(" ".join(paragraph.split()), False)


def _example(section: str) -> list[str]:
    (example,) = (piece.text for piece in _pieces(section) if piece.is_example)
    return example.splitlines()
