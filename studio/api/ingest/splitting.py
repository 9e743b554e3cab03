"""Finding the items of a list inside a JSON document that cannot be decoded as a whole.

One bad item must not cost the good ones around it: where brackets and quotes match, items can be told apart though
what is in one of them is no JSON.
"""

import re
from typing import Final, NamedTuple

from telemetry.core.documents import refusal

__all__ = ["SplitDocument", "split_items"]

# A text as a whole, a mark of structure, or a quote whose text never ends.
_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|[][{},"]', re.DOTALL)
# Marks that are looked at before giving up: as many as a full batch of 1,000 events with 50 properties each has. It
# takes a tenth of a second on a slow machine.
MOST_TOKENS: Final = 250_000
_PAIRS: Final = {b"]": b"[", b"}": b"{"}


class SplitDocument(NamedTuple):
    """The bytes of each item of the list, and the document with an empty list in its place."""

    items: list[bytes]
    rest: bytes


def split_items(content: bytes, key: str) -> SplitDocument:
    """The items of the list under ``key`` of the object that the document is.

    Raises ``InvalidDocument`` when brackets or quotes do not match, when there is no such list, and when the document
    has too many marks to tell.
    """
    splitter = _Splitter(content, b'"' + key.encode() + b'"')
    for count, token in enumerate(_TOKEN.finditer(content)):
        if count > MOST_TOKENS:
            raise refusal("bad_syntax", "is not valid JSON")
        splitter.take(token.group(), token.start(), token.end())
    return splitter.finish()


class _Splitter:
    """Follows the nesting, and notes where the items of the wanted list begin and end."""

    def __init__(self, content: bytes, key: bytes) -> None:
        self._content = content
        self._key = key
        self._open: list[bytes] = []
        self._last_text = b""
        self._begin: int | None = None
        self._cuts: list[int] = []
        self._end: int | None = None

    def take(self, token: bytes, start: int, end: int) -> None:
        """One token further."""
        if token == b'"':
            raise refusal("bad_syntax", "has a text that never ends")
        if token in (b"[", b"{"):
            if token == b"[" and len(self._open) == 1 and self._last_text == self._key and self._begin is None:
                self._begin = end
            self._open.append(token)
        elif token in _PAIRS:
            if not self._open or self._open.pop() != _PAIRS[token]:
                raise refusal("bad_syntax", "has brackets that do not match")
            if len(self._open) == 1 and self._begin is not None and self._end is None:
                self._end = start
        elif token == b",":
            if len(self._open) == 2 and self._begin is not None and self._end is None:
                self._cuts.append(start)
        elif len(self._open) == 1:
            self._last_text = token

    def finish(self) -> SplitDocument:
        """The document in parts."""
        if self._open or self._begin is None or self._end is None:
            raise refusal("bad_syntax", "is not valid JSON")
        begins = [self._begin, *(cut + 1 for cut in self._cuts)]
        ends = [*self._cuts, self._end]
        items = [self._content[begin:end] for begin, end in zip(begins, ends, strict=True)]
        if len(items) == 1 and not items[0].strip():
            items = []
        return SplitDocument(items, self._content[: self._begin] + self._content[self._end :])
