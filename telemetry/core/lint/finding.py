"""What a lint rule says about one place of a spec."""

import re
from typing import Final

import msgspec

from telemetry.core.enums import Severity

__all__ = ["Finding"]

_EVENT: Final = re.compile(r"events\[([0-9]+)\]\.?")


class Finding(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One place where a spec does not follow a rule.

    ``path`` is the place in document terms (``events[2].sampling.rate``; empty for the whole document), ``message``
    says what is the matter there, ``hint`` what to do. Neither carries a setting's value that may be secret.
    """

    rule: str
    severity: Severity
    path: str
    message: str
    hint: str

    @property
    def event_index(self) -> int | None:
        """The place of the event that this is about among the spec's events; ``None`` if it is about none."""
        found = _EVENT.match(self.path)
        return None if found is None else int(found[1])

    @property
    def path_in_event(self) -> str:
        """The place inside the event, empty for the event as a whole; the whole path where there is no event."""
        return _EVENT.sub("", self.path, count=1)

    def __str__(self) -> str:
        place = f"{self.path}: " if self.path else ""
        return f"{self.severity} {self.rule}: {place}{self.message}"
