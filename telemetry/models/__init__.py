"""Rows of a draft, and the frozen versions made from them."""

from telemetry.models.event_owner import EventOwner
from telemetry.models.event_record import EventRecord
from telemetry.models.property_record import PropertyRecord
from telemetry.models.spec_record import SpecRecord
from telemetry.models.spec_version import SpecVersion, VersionStatus
from telemetry.models.threshold_record import ThresholdRecord

__all__ = [
    "EventOwner",
    "EventRecord",
    "PropertyRecord",
    "SpecRecord",
    "SpecVersion",
    "ThresholdRecord",
    "VersionStatus",
]
