"""Rows of a draft, what people say about it, the frozen versions made from it, and the events that came in."""

from telemetry.models.access_export import AccessExport, AccessPart, ExportState
from telemetry.models.alert_channel import AlertChannel, AlertRoute, ChannelKind, Pace
from telemetry.models.anomalies import EvaluationState, JudgedWindow
from telemetry.models.archive_file import ArchiveFile, ArchiveState
from telemetry.models.config_parts import ConfigParts
from telemetry.models.delivery_record import DeliveryRecord, DeliveryState
from telemetry.models.erasure_access import ErasureAccess
from telemetry.models.erasure_request import (
    ACTIVE_STATES,
    ErasedSubject,
    ErasureForward,
    ErasureRequest,
    ErasureState,
    ForwardState,
)
from telemetry.models.event_claim import EventClaim, UndatedClaim
from telemetry.models.event_day import EventDay
from telemetry.models.event_owner import EventOwner
from telemetry.models.event_record import EventRecord
from telemetry.models.event_removal import EventRemoval
from telemetry.models.event_spec_record import EventSpecRecord
from telemetry.models.event_tally import EventTally
from telemetry.models.event_use import EventUse
from telemetry.models.held_event import HeldEvent
from telemetry.models.incident import (
    Incident,
    IncidentEntry,
    IncidentEntryKind,
    IncidentStatus,
    RegenerationRequest,
)
from telemetry.models.legal_hold import LegalHold
from telemetry.models.notification import INCIDENT_KINDS, Notification, NotificationKind, NotificationState
from telemetry.models.privacy_finding import FindingState, PrivacyFinding
from telemetry.models.property_record import PropertyRecord
from telemetry.models.proposal import UNSETTLED_STATES, PromiseState, Proposal, ProposalEvidence, ProposalStatus
from telemetry.models.proposal_notice import NoticeState, ProposalNotice
from telemetry.models.provider_record import ProviderKind, ProviderRecord
from telemetry.models.purge_run import OPEN_STATES, PurgeClock, PurgeItem, PurgeRun, PurgeState
from telemetry.models.receipt import Receipt, ReceiptKind
from telemetry.models.rescrub_run import WORKED_ON, RescrubMark, RescrubRun, RescrubState
from telemetry.models.review_comment import ReviewComment, Verdict
from telemetry.models.review_record import LIVE_STATES, ReviewRecord, ReviewState
from telemetry.models.sampled_event import SampledEvent
from telemetry.models.spec_record import SpecRecord
from telemetry.models.spec_version import SpecVersion, VersionStatus
from telemetry.models.stored_day import RetentionState, SealedPartition, StoredDay, StoredDelta, UncountedPartition
from telemetry.models.stored_event import StoredEvent
from telemetry.models.threshold_record import ThresholdRecord
from telemetry.models.violation_record import ViolationDay, ViolationRecord, ViolationState

__all__ = [
    "ACTIVE_STATES",
    "INCIDENT_KINDS",
    "LIVE_STATES",
    "OPEN_STATES",
    "UNSETTLED_STATES",
    "WORKED_ON",
    "AccessExport",
    "AccessPart",
    "AlertChannel",
    "AlertRoute",
    "ArchiveFile",
    "ArchiveState",
    "ChannelKind",
    "ConfigParts",
    "DeliveryRecord",
    "DeliveryState",
    "ErasedSubject",
    "ErasureAccess",
    "ErasureForward",
    "ErasureRequest",
    "ErasureState",
    "EvaluationState",
    "EventClaim",
    "EventDay",
    "EventOwner",
    "EventRecord",
    "EventRemoval",
    "EventSpecRecord",
    "EventTally",
    "EventUse",
    "ExportState",
    "FindingState",
    "ForwardState",
    "HeldEvent",
    "Incident",
    "IncidentEntry",
    "IncidentEntryKind",
    "IncidentStatus",
    "JudgedWindow",
    "LegalHold",
    "NoticeState",
    "Notification",
    "NotificationKind",
    "NotificationState",
    "Pace",
    "PrivacyFinding",
    "PromiseState",
    "PropertyRecord",
    "Proposal",
    "ProposalEvidence",
    "ProposalNotice",
    "ProposalStatus",
    "ProviderKind",
    "ProviderRecord",
    "PurgeClock",
    "PurgeItem",
    "PurgeRun",
    "PurgeState",
    "Receipt",
    "ReceiptKind",
    "RegenerationRequest",
    "RescrubMark",
    "RescrubRun",
    "RescrubState",
    "RetentionState",
    "ReviewComment",
    "ReviewRecord",
    "ReviewState",
    "SampledEvent",
    "SealedPartition",
    "SpecRecord",
    "SpecVersion",
    "StoredDay",
    "StoredDelta",
    "StoredEvent",
    "ThresholdRecord",
    "UncountedPartition",
    "UndatedClaim",
    "Verdict",
    "VersionStatus",
    "ViolationDay",
    "ViolationRecord",
    "ViolationState",
]
