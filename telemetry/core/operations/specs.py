"""The contract of an operation, as a frozen value."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Generic, TypeVar

import msgspec

from telemetry.core.enums import Stability

__all__ = [
    "Access",
    "ContractSpec",
    "OperationIO",
    "OperationMeta",
    "OperationPolicy",
    "OperationTelemetry",
    "Run",
    "TelemetryTrigger",
]

In = TypeVar("In")
Out = TypeVar("Out")


class Access(StrEnum):
    """Who may run an operation: anybody, somebody who is known, or an administrator."""

    ANONYMOUS = "anonymous"
    USER = "user"
    ADMIN = "admin"


class OperationMeta(msgspec.Struct, frozen=True, kw_only=True):
    """How an operation is identified, and who answers for it: ``name`` and ``version`` together are unique."""

    name: str
    version: int = 1
    title: str = ""
    description: str = ""
    domain: str = ""
    owners: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    stability: Stability = Stability.EXPERIMENTAL


class OperationIO(msgspec.Struct, Generic[In, Out], frozen=True):
    """Types of what goes in and comes out: any that msgspec knows, such as its structs, or ``dict[str, int]``."""

    input: type[In]
    output: type[Out]


class OperationPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Who may run the operation."""

    access: Access = Access.USER


class Run(msgspec.Struct, Generic[In, Out], frozen=True, kw_only=True):
    """One execution, as triggers see it.

    ``input`` is ``None`` if it did not fit the contract, ``output`` unless the operation succeeded, ``error`` unless it
    failed. ``duration_ms`` is ``None`` for a registry without a clock.
    """

    operation: OperationMeta
    input: In | None
    output: Out | None = None
    error: Exception | None = None
    duration_ms: float | None = None


class TelemetryTrigger(msgspec.Struct, Generic[In, Out], frozen=True, kw_only=True):
    """The event that is tracked, and what it carries of a run; without ``properties``, nothing.

    What is tracked obeys the telemetry spec of the event: the tracker validates, samples and redacts it.
    """

    event: str
    version: int | None = None
    properties: Callable[[Run[In, Out]], Mapping[str, Any]] | None = None


class OperationTelemetry(msgspec.Struct, Generic[In, Out], frozen=True, kw_only=True):
    """What is tracked when a run succeeds, and when it fails."""

    success: TelemetryTrigger[In, Out] | None = None
    failure: TelemetryTrigger[In, Out] | None = None


class ContractSpec(msgspec.Struct, Generic[In, Out], frozen=True, kw_only=True):
    """One version of an operation's contract.

    ``emits`` are names and versions of the EventSpecs that the operation may emit, and no others.
    """

    meta: OperationMeta
    io: OperationIO[In, Out]
    policy: OperationPolicy = OperationPolicy()
    emits: tuple[tuple[str, int], ...] = ()
    telemetry: OperationTelemetry[In, Out] = OperationTelemetry()

    @property
    def identity(self) -> tuple[str, int]:
        """Name and version."""
        return self.meta.name, self.meta.version
