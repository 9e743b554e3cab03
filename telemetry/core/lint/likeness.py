"""Names that people take for each other: the same words written or ordered in another way, or a slip of one letter.

Each name is compared through keys that it shares with names like it, so that time grows with the number of names and
not with its square.
"""

from collections.abc import Iterable, Iterator
from typing import Final, Literal

from telemetry.core.lint.words import words_of

__all__ = ["Likeness", "find_alike"]

# Shorter words differ by one letter without a slip: "get" and "set".
_SHORTEST_WORD: Final = 4
# Bounds for documents that were made to be slow; a large workspace stays below them. Names that are kept under one key,
# names whose letters are compared, and letters of those.
_MOST_PER_KEY: Final = 4
_MOST_NAMES: Final = 5_000
_MOST_LETTERS: Final = 60

Likeness = Literal["spelling", "order", "letter"]


def find_alike(names: Iterable[str]) -> dict[str, tuple[str, Likeness]]:
    """For each name that is like an earlier one, that one and what makes them alike; names are compared in order.

    ``spelling``: the same words in another notation, such as ``orderPlaced`` and ``order_placed``. ``order``: the same
    words in another order. ``letter``: one word differs by one letter that is missing, added or another, or by two
    that changed places; told of the first 5,000 names, where they have at most 60 letters.
    """
    alike: dict[str, tuple[str, Likeness]] = {}
    seen: dict[tuple[Likeness, int], list[str]] = {}
    for number, name in enumerate(dict.fromkeys(names)):
        words = words_of(name)
        compares_letters = number < _MOST_NAMES and sum(map(len, words)) <= _MOST_LETTERS
        keys = dict.fromkeys(_keys(words, compares_letters))
        for likeness, key in keys:
            known = seen.setdefault((likeness, key), [])
            if name not in alike:
                earlier = next((each for each in known if _are_alike(words, words_of(each), likeness)), None)
                if earlier is not None:
                    alike[name] = earlier, likeness
            if len(known) < _MOST_PER_KEY:
                known.append(name)
    return alike


def _keys(words: tuple[str, ...], compares_letters: bool) -> Iterator[tuple[Likeness, int]]:
    """Keys of which names that are alike share one, as hashes: the names themselves are compared afterwards."""
    if not words:
        return
    yield "spelling", hash("".join(words))
    if len(words) > 1:
        yield "order", hash(tuple(sorted(words)))
    for place, word in enumerate(words) if compares_letters else ():
        if len(word) >= _SHORTEST_WORD and not word.isdigit():
            rest = hash((place, words[:place], words[place + 1 :]))
            yield "letter", hash((rest, word))
            for index in range(len(word)):
                yield "letter", hash((rest, word[:index] + word[index + 1 :]))


def _are_alike(first: tuple[str, ...], second: tuple[str, ...], likeness: Likeness) -> bool:
    if likeness == "spelling":
        return "".join(first) == "".join(second)
    if likeness == "order":
        return first != second and sorted(first) == sorted(second)
    if len(first) != len(second):
        return False
    different = [(left, right) for left, right in zip(first, second, strict=True) if left != right]
    return len(different) == 1 and min(map(len, different[0])) >= _SHORTEST_WORD and _is_one_slip(*different[0])


def _is_one_slip(first: str, second: str) -> bool:
    """Whether two different words are one edit apart: a letter added, missing or another, or two neighbours swapped."""
    start = 0
    while start < min(len(first), len(second)) and first[start] == second[start]:
        start += 1
    left, right = first[start:], second[start:]
    if len(left) == len(right):
        return left[1:] == right[1:] or (left[:2] == right[1::-1] and left[2:] == right[2:])
    longer, shorter = (left, right) if len(left) > len(right) else (right, left)
    return longer[1:] == shorter
