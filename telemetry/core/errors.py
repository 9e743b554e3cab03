"""Every error of the product, in one tree.

::

    TelemetryError                  code
    ├── InvalidDocument             invalid_document      a spec, override or event is not well formed; has .errors
    ├── InvalidCondition            invalid_condition     a sampling condition does not compile or has the wrong type
    ├── NotFound                    not_found
    │   ├── UnknownSpec             unknown_spec
    │   ├── UnknownEvent            unknown_event
    │   └── UnknownOperation        unknown_operation
    ├── Conflict                    conflict              the state does not allow it, or somebody else was faster
    │   ├── DuplicateSpec           duplicate_spec        same name and version registered twice
    │   ├── DuplicateEvent          duplicate_event       same event name and version in two specs
    │   ├── DuplicateOperation      duplicate_operation   same operation name and version registered twice
    │   ├── UndeclaredEvent         undeclared_event      an operation emits what its contract does not declare
    │   ├── StaleRevision           stale_revision        the draft changed since it was read
    │   └── ApprovalRequired        approval_required     nobody has approved the draft as it is; has .errors
    ├── NotAllowed                  not_allowed           the actor lacks the ability
    ├── NotAuthenticated            not_authenticated     no key, or one that is unknown, expired or revoked
    └── Unavailable                 unavailable           another system does not answer; trying later may help
        └── ArchiveFailed           archive_failed        the archive cannot be used, or does not hold what it should

Messages name the path and the rule, and never carry a property's value. Only ``studio.api.errors`` knows HTTP.
"""

from collections.abc import Iterable
from typing import ClassVar

import msgspec

__all__ = [
    "ApprovalRequired",
    "ArchiveFailed",
    "Conflict",
    "DuplicateEvent",
    "DuplicateOperation",
    "DuplicateSpec",
    "FieldError",
    "InvalidCondition",
    "InvalidDocument",
    "NotAllowed",
    "NotAuthenticated",
    "NotFound",
    "StaleRevision",
    "TelemetryError",
    "Unavailable",
    "UndeclaredEvent",
    "UnknownEvent",
    "UnknownOperation",
    "UnknownSpec",
]


class FieldError(msgspec.Struct, frozen=True):
    """One broken rule at one place.

    ``code`` names the rule (``unknown_key``, ``wrong_type``, ``out_of_range``, ...), ``path`` the place in document
    terms (``events[2].sampling.rate``; empty for the whole document), ``message`` says what is expected.
    """

    code: str
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class TelemetryError(Exception):
    """Base of all errors of the product; ``code`` is stable and safe to branch on."""

    code: ClassVar[str] = "telemetry_error"

    def __init__(self, message: str, *, errors: Iterable[FieldError] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.errors: tuple[FieldError, ...] = tuple(errors)


class InvalidDocument(TelemetryError):
    """A document breaks at least one rule; ``errors`` lists every broken rule with its path."""

    code = "invalid_document"

    def __init__(self, errors: Iterable[FieldError], *, what: str = "document") -> None:
        found = tuple(errors)
        count = len(found)
        shown = "; ".join(str(error) for error in found[:3]) + ("; ..." if count > 3 else "")
        super().__init__(f"the {what} breaks {count} rule{'s' if count != 1 else ''}: {shown}", errors=found)


class InvalidCondition(TelemetryError):
    """A sampling condition cannot be used; ``column`` counts characters from 1, or is ``None``."""

    code = "invalid_condition"

    def __init__(self, message: str, *, column: int | None = None) -> None:
        super().__init__(message)
        self.column = column


class NotFound(TelemetryError):
    """What was asked for does not exist, or the actor may not know that it does."""

    code = "not_found"


class UnknownSpec(NotFound):
    """No spec has this name, or none this version."""

    code = "unknown_spec"


class UnknownEvent(NotFound):
    """No registered spec defines this event, or none this version of it."""

    code = "unknown_event"


class UnknownOperation(NotFound):
    """No operation has this name, or none this version."""

    code = "unknown_operation"


class Conflict(TelemetryError):
    """The current state does not allow the call; nothing was changed."""

    code = "conflict"


class DuplicateSpec(Conflict):
    """A spec of this name and version is registered already."""

    code = "duplicate_spec"


class DuplicateEvent(Conflict):
    """Another spec already defines this event name and version."""

    code = "duplicate_event"


class DuplicateOperation(Conflict):
    """An operation of this name and version is registered already."""

    code = "duplicate_operation"


class StaleRevision(Conflict):
    """What was edited or reviewed is not what is stored now."""

    code = "stale_revision"


class ApprovalRequired(Conflict):
    """Nobody who may has approved the draft as it is now; ``errors`` name what needs it."""

    code = "approval_required"


class UndeclaredEvent(Conflict):
    """An operation emits an event that its contract does not declare."""

    code = "undeclared_event"


class NotAllowed(TelemetryError):
    """The actor lacks the ability that the call needs; ``ability`` names it."""

    code = "not_allowed"

    def __init__(self, message: str, *, ability: str = "") -> None:
        super().__init__(message)
        self.ability = ability


class NotAuthenticated(TelemetryError):
    """No usable credential came with the call.

    ``reason`` is a word for logs and counters (``unknown``, ``expired``, ...); it is no part of the message, because
    whoever guesses credentials must not learn how close a guess was.
    """

    code = "not_authenticated"

    def __init__(self, message: str, *, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


class Unavailable(TelemetryError):
    """Another system does not answer, or asks for patience; ``retry_after`` is the pause it asked for, in seconds."""

    code = "unavailable"

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ArchiveFailed(Unavailable):
    """A file of the archive cannot be written or read, or holds anything else than it should."""

    code = "archive_failed"
