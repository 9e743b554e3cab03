"""What a document of one format loses on its way into another: the report that comes with every import and export."""

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum

import msgspec

from telemetry.core.plain import to_plain

__all__ = ["Action", "Loss", "LossReport"]


class Action(StrEnum):
    """What became of a part that does not fit as it is.

    ``dropped``: it is not in the result. ``approximated``: the result says something near it. ``renamed``: it has
    another name there. ``defaulted``: the result needs a value that the source does not have, and got one. ``missing``:
    the target format demands a value that nobody can make up, so the result lacks it.
    """

    DROPPED = "dropped"
    APPROXIMATED = "approximated"
    RENAMED = "renamed"
    DEFAULTED = "defaulted"
    MISSING = "missing"


class Loss(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """One part of a source that does not fit.

    ``path`` is its place: a JSON Pointer (RFC 6901) into a foreign document, a document path into a spec; empty for the
    whole. ``kind`` says what stands there: text, number, boolean, null, list or object. ``target`` is the place in the
    result, in the notation of that side. ``name`` and ``became`` are the names of a part that was renamed. ``file`` and
    ``line`` (from 1) say where to look, if the source has several files, or lines that matter. No other value of the
    source is repeated: it could be a secret.
    """

    action: Action
    path: str
    kind: str = ""
    reason: str
    target: str = ""
    name: str = ""
    became: str = ""
    file: str = ""
    line: int = 0


class LossReport(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """All losses of one import or export, in the order of the source; ``specs`` are the names of the specs."""

    format: str
    sources: tuple[str, ...]
    specs: tuple[str, ...]
    losses: tuple[Loss, ...]

    @property
    def counts(self) -> Mapping[Action, int]:
        """How many losses there are of each kind, in the order of the kinds; none that does not occur."""
        found = Counter(loss.action for loss in self.losses)
        return {action: found[action] for action in Action if found[action]}

    def to_plain(self) -> object:
        """The report as plain data, ready to be written as JSON, with the counts before the losses."""
        counts = {action.value: count for action, count in self.counts.items()}
        head = {"format": self.format, "sources": list(self.sources), "specs": list(self.specs), "counts": counts}
        return {**head, "losses": to_plain(self.losses)}
