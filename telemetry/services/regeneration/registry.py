"""Which adapters are asked for signals: those of the studio, and those that others register."""

from typing import Final

from telemetry.services.regeneration.adapters.conditions import condition_signals, lint_signals
from telemetry.services.regeneration.adapters.findings import finding_signals
from telemetry.services.regeneration.adapters.incidents import incident_signals
from telemetry.services.regeneration.adapters.retention import retention_signals
from telemetry.services.regeneration.adapters.samples import sample_signals
from telemetry.services.regeneration.adapters.traffic import unused_signals, volume_signals
from telemetry.services.regeneration.adapters.violations import violation_signals
from telemetry.services.regeneration.noticed import Adapter

__all__ = ["adapters", "register_adapter", "withdraw_adapter"]

_ADAPTERS: Final[dict[str, Adapter]] = {
    "incidents": incident_signals,
    "violations": violation_signals,
    "findings": finding_signals,
    "volume": volume_signals,
    "samples": sample_signals,
    "conditions": condition_signals,
    "lint": lint_signals,
    "retention": retention_signals,
    "unused": unused_signals,
}


def adapters() -> dict[str, Adapter]:
    """All adapters by name, in the order in which they are asked."""
    return dict(_ADAPTERS)


def register_adapter(name: str, adapter: Adapter) -> None:
    """The adapter is asked for signals in every run from now on, in this process.

    Call it where an application starts (``AppConfig.ready``), so that web, worker and command line know it alike. Its
    signals have a kind that a rule is asked about. Raises ``ValueError`` if the name is taken.
    """
    if name in _ADAPTERS:
        raise ValueError(f"an adapter with the name {name} is registered already")
    _ADAPTERS[name] = adapter


def withdraw_adapter(name: str) -> None:
    """The adapter is asked no more; nothing happens if there is none of this name."""
    _ADAPTERS.pop(name, None)
