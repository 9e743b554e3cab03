"""Reading and writing YAML as a notation for JSON's values, and nothing more.

YAML can do much that has no place in a contract: aliases (a small file that expands without end), tags (that build
objects), many documents in one file, and plain words that turn into something else (``no`` into false, ``2026-01-01``
into a date, ``010`` into eight). The first three are refused; the last does not happen: only numbers written as JSON
or YAML 1.2 would, ``true``, ``false`` and ``null`` are not text.
"""

import math
import re
from typing import Any, Final

import yaml

from telemetry.core.documents import MAXIMUM_DEPTH, collect_object, read_int, refusal

__all__ = ["read_yaml", "write_yaml"]

# The parser in C is 20 times as fast; a PyYAML that was built without it understands the same.
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER: Final[Any] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

# A key, a value and each bracket count one. 2 MiB of real names and values have fewer; lists of single letters more.
_MAXIMUM_EVENTS: Final = 300_000
# Reading many %TAG lines takes quadratic time in libyaml (24 s for 2 MiB), and no JSON value needs one.
_DIRECTIVE: Final = re.compile(r"(?:\A|[\r\n\x85\u2028\u2029])%")

# Source: YAML 1.2.2, section 10.3.2 (core schema), without octal, hexadecimal and leading zeros, which JSON lacks.
_INT: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_WORDS: Final = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    # Read as numbers so that the message is about numbers; no type accepts them.
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
# Characters per line before the writer folds: never.
_NO_FOLDING: Final = 1_000_000_000
# Text that only other readers take for something else: YAML 1.1's short booleans, YAML 1.2's octal numbers.
_AMBIGUOUS: Final = re.compile(r"[yYnN]\Z|0o[0-7]+\Z")


def read_yaml(text: str, *, maximum_depth: int = MAXIMUM_DEPTH, has_aliases: bool = False) -> object:
    """The plain value of a YAML document, as ``telemetry.core.documents.read_json`` gives it; keys are always text.

    ``has_aliases`` admits anchors, aliases and merge keys, as documents of others have them; the parts that an alias
    repeats count against the limit each time. Raises ``InvalidDocument`` with the code ``bad_syntax``,
    ``unsupported_yaml``, ``too_deep`` or ``too_many``.
    """
    if _DIRECTIVE.search(text):
        raise refusal("unsupported_yaml", "lines that start with % (directives) are not supported")
    tree = _AliasTree(maximum_depth) if has_aliases else _Tree(maximum_depth)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            tree.take(event)
    except yaml.MarkedYAMLError as error:
        raise refusal("bad_syntax", f"is not valid YAML: {error.problem}{_place(error.problem_mark)}") from None
    except yaml.YAMLError:
        raise refusal("bad_syntax", "is not valid YAML: it has a character that YAML does not allow") from None
    return tree.root


def _place(mark: Any) -> str:
    return f" (line {mark.line + 1}, column {mark.column + 1})" if mark is not None else ""


class _Tree:
    """Builds the plain value from the parser's events, without recursion."""

    def __init__(self, maximum_depth: int) -> None:
        self.root: object = None
        self._maximum_depth = maximum_depth
        self._documents = 0
        self._count = 0
        # The open collections, outermost first: each the list of its items, or of its keys and values in turn.
        self._open: list[tuple[bool, list[Any]]] = []

    def take(self, event: Any) -> None:
        """Add what one event says."""
        self._weigh(1)
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._refuse_marks(event)
            self._add(self._scalar(event))
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            self._refuse_marks(event)
            self._begin(kind is yaml.MappingStartEvent, event)
        elif kind is yaml.MappingEndEvent:
            items = self._open.pop()[1]
            self._add(self._collect(list(zip(items[::2], items[1::2], strict=True))))
        elif kind is yaml.SequenceEndEvent:
            self._add(self._open.pop()[1])
        elif kind is yaml.AliasEvent:
            self._repeat(event)
        elif kind is yaml.DocumentStartEvent:
            self._documents += 1
            if self._documents > 1:
                raise _unsupported(event, "must hold one document only; --- starts a second one")

    def _begin(self, is_mapping: bool, event: Any) -> None:
        if self._expects_key():
            raise _unsupported(event, "keys must be text, not lists or objects")
        if len(self._open) >= self._maximum_depth:
            raise refusal("too_deep", f"must be at most {self._maximum_depth} levels deep")
        self._open.append((is_mapping, []))

    def _weigh(self, count: int) -> None:
        self._count += count
        if self._count > _MAXIMUM_EVENTS:
            raise refusal("too_many", f"must have at most {_MAXIMUM_EVENTS} keys and values")

    def _collect(self, pairs: list[tuple[str, object]]) -> object:
        return collect_object(pairs)

    def _repeat(self, event: Any) -> None:
        raise _unsupported(event, "aliases (*name) are not supported; write the value out")

    def _add(self, value: object) -> None:
        if self._open:
            self._open[-1][1].append(value)
        else:
            self.root = value

    def _expects_key(self) -> bool:
        return bool(self._open) and self._open[-1][0] and len(self._open[-1][1]) % 2 == 0

    def _scalar(self, event: Any) -> object:
        is_plain = event.implicit[0]
        if self._expects_key():
            if is_plain and event.value == "<<":
                return self._merge_key(event)
            return event.value
        return _resolve(event.value) if is_plain else event.value

    def _merge_key(self, event: Any) -> object:
        raise _unsupported(event, "merge keys (<<) are not supported; write the keys out")

    def _refuse_marks(self, event: Any) -> None:
        if event.anchor is not None:
            raise _unsupported(event, "anchors (&name) are not supported; write the value out")
        if event.tag is not None:
            raise _unsupported(event, "tags (!name) are not supported")


# Stands where a merge key stood, which text "<<" cannot be told from.
_MERGE: Final = object()


class _AliasTree(_Tree):
    """Builds the plain value with what aliases and merge keys repeat."""

    def __init__(self, maximum_depth: int) -> None:
        super().__init__(maximum_depth)
        # By name: the value, how many keys and values it has, and how many levels.
        self._anchored: dict[str, tuple[object, int, int]] = {}
        # Of each open collection: its anchor, and the count and depth when it began.
        self._begun: list[tuple[str | None, int]] = []
        self._depths: list[int] = []

    def take(self, event: Any) -> None:
        """Add what one event says, and remember what has an anchor."""
        kind = type(event)
        if kind in (yaml.MappingStartEvent, yaml.SequenceStartEvent):
            self._begun.append((event.anchor, self._count))
            self._depths.append(1)
        super().take(event)
        if kind is yaml.ScalarEvent and event.anchor is not None:
            self._anchored[event.anchor] = (self._last(), 1, 0)
        elif kind in (yaml.MappingEndEvent, yaml.SequenceEndEvent):
            anchor, before = self._begun.pop()
            depth = self._depths.pop()
            if self._depths:
                self._depths[-1] = max(self._depths[-1], depth + 1)
            if anchor is not None:
                self._anchored[anchor] = (self._last(), self._count - before, depth)

    def _last(self) -> object:
        return self._open[-1][1][-1] if self._open else self.root

    def _refuse_marks(self, event: Any) -> None:
        if event.tag is not None:
            raise _unsupported(event, "tags (!name) are not supported")

    def _repeat(self, event: Any) -> None:
        if event.anchor not in self._anchored:
            raise _unsupported(event, "the alias names no value before it")
        value, count, depth = self._anchored[event.anchor]
        if self._expects_key() and not isinstance(value, str):
            raise _unsupported(event, "keys must be text, not lists or objects")
        if len(self._open) + depth > self._maximum_depth:
            raise refusal("too_deep", f"must be at most {self._maximum_depth} levels deep")
        self._weigh(count)
        if self._depths:
            self._depths[-1] = max(self._depths[-1], depth + 1)
        self._add(value)

    def _merge_key(self, _event: Any) -> object:
        return _MERGE

    def _collect(self, pairs: list[tuple[Any, object]]) -> object:
        """Keys that are written win over those that are merged, and earlier merged ones over later ones.

        Source: YAML 1.1, "Merge key language-independent type".
        """
        own = [pair for pair in pairs if pair[0] is not _MERGE]
        merged: dict[str, object] = {}
        for _, value in (pair for pair in pairs if pair[0] is _MERGE):
            for source in value if isinstance(value, list) else [value]:
                if not isinstance(source, dict):
                    raise refusal("unsupported_yaml", "a merge key (<<) must name an object, or a list of objects")
                merged = {**source, **merged}
        written = {key for key, _ in own}
        return collect_object([*((key, item) for key, item in merged.items() if key not in written), *own])


def _unsupported(event: Any, message: str) -> Exception:
    return refusal("unsupported_yaml", f"{message}{_place(event.start_mark)}")


def _resolve(plain: str) -> object:
    """What an unquoted scalar stands for."""
    if plain in _WORDS:
        return _WORDS[plain]
    if _INT.match(plain):
        return read_int(plain)
    return float(plain) if _FLOAT.match(plain) else plain


def write_yaml(plain: object) -> str:
    """A YAML document, in block style and the given order of keys, that ``read_yaml`` reads as an equal value.

    Text that this reader, or one for YAML 1.1, would take for a number, date or truth value is quoted; text of several
    lines is written as a block where it can be. Lines are not folded, so that a change of a word is one changed line.
    """
    return str(
        yaml.dump(
            plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=_NO_FOLDING
        )
    )


class _Dumper(_DUMPER):  # type: ignore[misc]
    """Writes text so that it stays the same text."""

    def ignore_aliases(self, _data: object) -> bool:
        """Equal parts are written out each time, since aliases are refused on reading."""
        return True


def _represent_text(dumper: Any, text: str) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=_style(text))


def _style(text: str) -> str | None:
    """Double quotes for what could get lost on a screen or in a line break, a block for plain lines.

    Where a block cannot hold the text (spaces at the end of a line), the emitter itself falls back to quotes.
    """
    if text.isprintable():
        return "'" if _AMBIGUOUS.match(text) or not isinstance(_resolve(text), str) else None
    return "|" if all(line.isprintable() for line in text.split("\n")) else '"'


_Dumper.add_representer(str, _represent_text)
