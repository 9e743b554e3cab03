"""Reading plain data so that nothing gets lost unnoticed: every leaf is taken over, or is in the report.

A ``Cursor`` stands at one value of a document. Reading a value through it tells the ``Ledger`` what became of it: taken
over as it is, or lost in one of the ways of ``Action``. When the reading is done, the ledger reports every leaf that
nobody has asked for as dropped. A leaf is a text, number, truth value or null, or a list or object without entries.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from telemetry.core.documents import RepeatedKeys
from telemetry.core.shapes import Path
from telemetry.formats.losses import Action, Loss

__all__ = ["Cursor", "Ledger", "Unevaluated", "kind_of", "write_pointer"]


class Unevaluated:
    """Stands in a document for what only running its code could tell."""


_KINDS: Final = (
    (Unevaluated, "expression"),
    (bool, "boolean"),
    (str, "text"),
    ((int, float), "number"),
    (list, "list"),
    (dict, "object"),
)
_NO_PLACE: Final = "it has no place"
_UNKNOWN: Final = "only running the code could tell its value"
_REPEATED: Final = "the key occurs more than once; the last value counts"


def kind_of(value: object) -> str:
    """What a plain value is, in a word."""
    return next((word for types, word in _KINDS if isinstance(value, types)), "null")


def write_pointer(path: Path) -> str:
    """The path as a JSON Pointer.

    Source: RFC 6901, section 3.
    """
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)


class Ledger:
    """What became of each part of one or more documents."""

    def __init__(
        self, *, reasons: Mapping[str, str] | None = None, write: Callable[[Path], str] = write_pointer
    ) -> None:
        """``reasons`` say by key why leaves at or under it have no place; ``write`` writes paths."""
        self._reasons = reasons or {}
        self._write = write
        self._roots: list[Cursor] = []
        self._lines: dict[str, Mapping[Path, int]] = {}
        self._settled: set[tuple[str, Path]] = set()
        self._losses: dict[tuple[str, Path, Action, str], Loss] = {}

    def open(self, value: object, *, file: str = "", lines: Mapping[Path, int] | None = None) -> "Cursor":
        """A cursor at the root of one more document; ``file`` tells it from others, ``lines`` where its parts are."""
        self._lines[file] = lines or {}
        root = Cursor(value, self, (), file)
        self._roots.append(root)
        return root

    def account(self, cursor: "Cursor") -> None:
        """Every leaf at or under the cursor is accounted for, but those whose value nobody knows."""
        leaves = _leaves(cursor)
        self._settled.update((cursor.file, path) for path, value in leaves if not isinstance(value, Unevaluated))

    def is_settled(self, cursor: "Cursor") -> bool:
        """Whether every leaf at or under the cursor is accounted for."""
        return all((cursor.file, path) in self._settled for path, _ in _leaves(cursor))

    def report(self, cursor: "Cursor", action: Action, reason: str, **more: Any) -> None:
        """One loss at the cursor; the same kind of loss at the same place is reported once."""
        key = (cursor.file, cursor.path, action, more.get("target", ""))
        loss = Loss(
            action=action,
            path=self._write(cursor.path),
            kind=cursor.kind,
            reason=reason,
            file=cursor.file,
            line=self._line(cursor),
            **more,
        )
        self._losses.setdefault(key, loss)

    def _line(self, cursor: "Cursor") -> int:
        lines = self._lines.get(cursor.file, {})
        steps = (cursor.path[:length] for length in range(len(cursor.path), -1, -1))
        return next((lines[path] for path in steps if path in lines), 0)

    def losses(self) -> tuple[Loss, ...]:
        """All losses in the order of the documents; what nobody has asked for is among them, as dropped."""
        order: dict[tuple[str, Path], int] = {}
        for root in self._roots:
            for cursor in _walk(root):
                order[cursor.file, cursor.path] = len(order)
                self._report_leftovers(cursor)
        ranked = sorted(self._losses.items(), key=lambda item: order.get(item[0][:2], -1))
        return tuple(loss for _, loss in ranked)

    def _report_leftovers(self, cursor: "Cursor") -> None:
        if isinstance(cursor.value, RepeatedKeys):
            for key in cursor.value.repeated:
                # The values that were overwritten are no part of the document that was read.
                place = (cursor.file, (*cursor.path, key), Action.DROPPED, "repeated")
                path = self._write((*cursor.path, key))
                self._losses[place] = Loss(action=Action.DROPPED, path=path, reason=_REPEATED, file=cursor.file)
        if cursor.is_leaf and (cursor.file, cursor.path) not in self._settled:
            is_unknown = isinstance(cursor.value, Unevaluated)
            self.report(cursor, Action.DROPPED, _UNKNOWN if is_unknown else self._reason_for(cursor.path))

    def _reason_for(self, path: Path) -> str:
        """Why a leaf at this path has no place: what is said of its nearest key of which something is said."""
        said = (self._reasons[step] for step in reversed(path) if isinstance(step, str) and step in self._reasons)
        return next(said, _NO_PLACE)


class Cursor:
    """A place in a document, and what stands there. What is not of the kind that a method asks for stays unread."""

    __slots__ = ("_ledger", "file", "path", "value")

    def __init__(self, value: Any, ledger: Ledger, path: Path, file: str) -> None:
        self.value: Any = value
        self.path = path
        self.file = file
        self._ledger = ledger

    @property
    def kind(self) -> str:
        """What stands here, in a word."""
        return kind_of(self.value)

    @property
    def is_leaf(self) -> bool:
        """Whether nothing is under it."""
        return not (isinstance(self.value, dict | list) and self.value)

    @property
    def word(self) -> str:
        """The text that stands here, for comparing; empty for anything else. Nothing is taken over."""
        return self.value if isinstance(self.value, str) else ""

    # Moving

    def get(self, key: str) -> "Cursor | None":
        """The value of this key, if this is an object that has it."""
        if isinstance(self.value, dict) and key in self.value:
            return Cursor(self.value[key], self._ledger, (*self.path, key), self.file)
        return None

    def find(self, *keys: str) -> "Cursor | None":
        """The place that the keys lead to, one below the other."""
        here: Cursor | None = self
        for key in keys:
            here = here.get(key) if here is not None else None
        return here

    def at(self, path: Path) -> "Cursor":
        """The place at this path, or the nearest one around it that exists."""
        here = self
        for step in path:
            entries = here.fields() if isinstance(step, str) else enumerate(here.items())
            found = next((cursor for key, cursor in entries if key == step), None)
            if found is None:
                break
            here = found
        return here

    def fields(self) -> "Iterator[tuple[str, Cursor]]":
        """Keys and values of an object, in order; none of anything else."""
        if isinstance(self.value, dict):
            for key, item in self.value.items():
                yield key, Cursor(item, self._ledger, (*self.path, key), self.file)

    def items(self) -> "Iterator[Cursor]":
        """The entries of a list, in order; none of anything else."""
        if isinstance(self.value, list):
            for index, item in enumerate(self.value):
                yield Cursor(item, self._ledger, (*self.path, index), self.file)

    # Reading

    def take(self) -> Any:
        """The value, which the result says as well, with all that is under it and has a value."""
        self._ledger.account(self)
        return _known_parts(self.value)

    def text(self) -> str | None:
        """The text that stands here, taken over; ``None`` for anything else, which stays unread."""
        return self.take() if isinstance(self.value, str) else None

    def flag(self) -> bool | None:
        """The truth value that stands here, taken over; ``None`` for anything else, which stays unread."""
        return self.take() if isinstance(self.value, bool) else None

    def drop(self, reason: str) -> None:
        """Nothing of what stands here is in the result; each leaf that is not accounted for is reported."""
        for cursor in _walk(self):
            if cursor.is_leaf and not self._ledger.is_settled(cursor):
                self._ledger.report(cursor, Action.DROPPED, reason)
        self._ledger.account(self)

    def lose(self, reason: str, *, target: str) -> None:
        """What was taken over before is not in the result after all."""
        self._ledger.report(self, Action.DROPPED, reason, target=target)

    def approximate(self, reason: str, *, target: str = "") -> Any:
        """The value, to which the result says something near."""
        self._ledger.report(self, Action.APPROXIMATED, reason, target=target)
        self._ledger.account(self)
        return self.value

    def remark(self, reason: str, *, target: str = "") -> None:
        """The result says something near what stands here; the leaves under it are accounted for one by one."""
        self._ledger.report(self, Action.APPROXIMATED, reason, target=target)

    def rename(self, name: str, became: str, reason: str, *, target: str = "") -> None:
        """The part that stands here, or is called by it, has another name in the result."""
        self._ledger.report(self, Action.RENAMED, reason, name=name, became=became, target=target)

    def default(self, reason: str, *, target: str) -> None:
        """The result needs a value at ``target`` that the source does not have here, and got one."""
        self._ledger.report(self, Action.DEFAULTED, reason, target=target)

    def lack(self, reason: str, *, target: str) -> None:
        """The result should have a value at ``target``, and nobody can make it up."""
        self._ledger.report(self, Action.MISSING, reason, target=target)


def _known_parts(value: Any) -> Any:
    """The value without the parts that only running code could tell; the value itself, if it has none."""
    if isinstance(value, dict):
        known = {key: _known_parts(item) for key, item in value.items() if not isinstance(item, Unevaluated)}
        is_whole = len(known) == len(value) and all(known[key] is value[key] for key in known)
        return value if is_whole else known
    if isinstance(value, list):
        items = [_known_parts(item) for item in value if not isinstance(item, Unevaluated)]
        is_whole = len(items) == len(value) and all(one is other for one, other in zip(items, value, strict=True))
        return value if is_whole else items
    return value


def _walk(root: Cursor) -> Iterator[Cursor]:
    """The place and all places under it, outer ones first, in the order of the document."""
    waiting = [root]
    while waiting:
        cursor = waiting.pop()
        yield cursor
        below = [inner for _, inner in cursor.fields()] or list(cursor.items())
        waiting.extend(reversed(below))


def _leaves(root: Cursor) -> Iterator[tuple[Path, object]]:
    return ((cursor.path, cursor.value) for cursor in _walk(root) if cursor.is_leaf)
