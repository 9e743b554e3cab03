"""What a lint rule says about one place of a spec."""

import msgspec

from telemetry.core.enums import Severity

__all__ = ["Finding"]


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

    def __str__(self) -> str:
        place = f"{self.path}: " if self.path else ""
        return f"{self.severity} {self.rule}: {place}{self.message}"
