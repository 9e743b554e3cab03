"""Operations with their contract: what goes in and out, who may run them, which events they emit, what they track."""

from telemetry.core.operations.context import Emitted, OperationContext, Tracks
from telemetry.core.operations.registry import SpecRegistry
from telemetry.core.operations.specs import (
    Access,
    ContractSpec,
    OperationIO,
    OperationMeta,
    OperationPolicy,
    OperationTelemetry,
    Run,
    TelemetryTrigger,
)

__all__ = [
    "Access",
    "ContractSpec",
    "Emitted",
    "OperationContext",
    "OperationIO",
    "OperationMeta",
    "OperationPolicy",
    "OperationTelemetry",
    "Run",
    "SpecRegistry",
    "TelemetryTrigger",
    "Tracks",
]
