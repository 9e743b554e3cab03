"""The text of a sampling condition, cut into tokens that can be replaced while columns keep their meaning.

Source: the lexis of CEL, https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Final

__all__ = ["ConditionSource", "Token"]

_LEXIS: Final = re.compile(
    r"""
      (?P<blank>   \s+ | //[^\n]* )
    | (?P<text>    [bB]?[rR] (?: \"\"\".*?\"\"\" | '''.*?''' | "[^"\n]*" | '[^'\n]*' )
                 | [bB]?     (?: \"\"\"(?:\\.|[^\\])*?\"\"\" | '''(?:\\.|[^\\])*?'''
                               | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' ) )
    | (?P<decimal> [0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)? | [0-9]+[eE][+-]?[0-9]+ | \.[0-9]+(?:[eE][+-]?[0-9]+)? )
    | (?P<whole>   (?:0x[0-9a-fA-F]+ | [0-9]+)[uU]? )
    | (?P<name>    [A-Za-z_][A-Za-z0-9_]* )
    | (?P<quoted>  `[^`\n]*` )
    | (?P<sign>    && | \|\| | [=!<>]= | . )
    """,
    re.VERBOSE | re.DOTALL,
)


class Token:
    """A piece of the text. ``start`` is its place in the author's text; ``text`` may be replaced.

    ``frame`` numbers the innermost call, index, list or map that holds the token; plain parentheses make no frame.
    """

    __slots__ = ("frame", "kind", "start", "text")

    def __init__(self, kind: str, text: str, start: int, frame: int) -> None:
        self.kind = kind
        self.text = text
        self.start = start
        self.frame = frame


class ConditionSource:
    """A condition as tokens; ``text`` has blanks and comments too. ``length`` is that of the original."""

    def __init__(self, expression: str) -> None:
        self.length = len(expression)
        self._pieces = list(_cut(expression))
        self.tokens = [piece for piece in self._pieces if piece.kind != "blank"]

    @property
    def text(self) -> str:
        """The whole text, with replacements."""
        return "".join(piece.text for piece in self._pieces)

    def token_at(self, offset: int) -> int:
        """The index in ``tokens`` of the token that holds this offset of ``text``, or of the next one."""
        ends = list(accumulate(len(piece.text) for piece in self._pieces))
        place = bisect_right(ends, offset)
        start = self._pieces[place].start if place < len(self._pieces) else float("inf")
        return sum(token.start < start for token in self.tokens)

    def known_name(self, index: int, is_known: Callable[[str], bool]) -> tuple[str, int]:
        """The longest known dotted name that begins at this token, and the index after it; else an empty name.

        A part in backticks counts with the dots in it.
        """
        found, end = "", index
        name = ""
        for place in range(index, len(self.tokens), 2):
            token = self.tokens[place]
            if token.kind != "name" and (token.kind != "quoted" or not name):
                break
            name += token.text.strip("`")
            if is_known(name):
                found, end = name, place + 1
            if place + 1 >= len(self.tokens) or self.tokens[place + 1].text != ".":
                break
            name += "."
        return found, end

    def replace(self, start: int, end: int, text: str) -> None:
        """The tokens from ``start`` up to ``end`` read as this text from now on."""
        for token in self.tokens[start:end]:
            token.text = ""
        self.tokens[start].text = text

    def is_call(self, index: int) -> bool:
        """Whether the token is a name that is called."""
        tokens = self.tokens
        return tokens[index].kind == "name" and index + 1 < len(tokens) and tokens[index + 1].text == "("


def _cut(expression: str) -> Iterator[Token]:
    """All tokens with their frames; any character that begins nothing else is a sign, so that nothing is lost."""
    open_frames = [0]
    opened = 0
    before = ""
    for match in _LEXIS.finditer(expression):
        kind, text = str(match.lastgroup), match.group()
        if kind == "sign" and text in "([{":
            # A name before "(" makes it a call, an operator or nothing a plain group; "in" is an operator.
            is_group = text == "(" and (before == "in" or not re.fullmatch(r"[A-Za-z_]\w*", before))
            if not is_group:
                opened += 1
            yield Token(kind, text, match.start(), open_frames[-1])
            open_frames.append(open_frames[-1] if is_group else opened)
        else:
            if kind == "sign" and text in ")]}" and len(open_frames) > 1:
                open_frames.pop()
            yield Token(kind, text, match.start(), open_frames[-1])
        if kind != "blank":
            before = text
