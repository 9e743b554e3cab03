"""One change between two specs, and all of them."""

from typing import Any

import msgspec

from telemetry.core.diff.rules import RULES
from telemetry.core.enums import ChangeClass
from telemetry.core.plain import to_plain
from telemetry.core.values import deep_freeze

__all__ = ["Change", "SpecDiff", "make_change"]

# A text, or a list in brackets, that is longer than this is cut where a message shows it.
_LONGEST_SHOWN = 80


class Change(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One place at which two specs differ.

    ``path`` names the place the same way in both: events by name and version (``events["step@1"].privacy``), providers
    by type, thresholds by metric; the second of a kind is ``posthog#2``. ``rule`` is a name in ``RULES``, ``message``
    says what changed. ``before`` and ``after`` are plain values as documents have them, ``None`` where there is
    nothing; a part that was added or removed is there as a whole. ``event`` is the event that the place belongs to,
    such as ``step@1``.
    """

    path: str
    rule: str
    severity: ChangeClass
    before: Any
    after: Any
    message: str
    event: str | None = None

    @property
    def reason(self) -> str:
        """Why the rule has its class."""
        return RULES[self.rule].reason


class SpecDiff(msgspec.Struct, frozen=True):
    """All changes from one spec to another, in the order of the document; a part that is gone stands where it was."""

    changes: tuple[Change, ...]

    @property
    def breaking(self) -> tuple[Change, ...]:
        """The changes that break apps or readers."""
        return self._of(ChangeClass.BREAKING)

    @property
    def risky(self) -> tuple[Change, ...]:
        """The changes that somebody should think about."""
        return self._of(ChangeClass.RISKY)

    @property
    def safe(self) -> tuple[Change, ...]:
        """The changes that nobody but editors will notice."""
        return self._of(ChangeClass.SAFE)

    @property
    def is_empty(self) -> bool:
        """Whether both specs have the same canonical form."""
        return not self.changes

    @property
    def worst(self) -> ChangeClass | None:
        """The worst class among the changes; ``None`` without any."""
        return max((change.severity for change in self.changes), key=lambda severity: severity.rank, default=None)

    def _of(self, severity: ChangeClass) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.severity is severity)


def make_change(path: str, rule: str, before: object, after: object, message: str = "") -> Change:
    """A change with the class of its rule; without ``message``, one that shows both values."""
    old, new = deep_freeze(to_plain(before)), deep_freeze(to_plain(after))
    return Change(
        path=path,
        rule=rule,
        severity=RULES[rule].severity,
        before=old,
        after=new,
        message=message or f"{_show(old)} became {_show(new)}",
    )


def _show(value: object) -> str:
    if value is None or value in ("", ()):
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return _cut(", ".join(_show(item) for item in value))
    if isinstance(value, dict):
        return _cut(" ".join(_show(item) for item in value.values()))
    return _cut(str(value))


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_SHOWN else f"{line[:_LONGEST_SHOWN]}..."
