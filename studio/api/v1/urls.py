"""The addresses of version 1; none ends in a slash."""

from django.urls import path

from studio.api.v1 import converters  # noqa: F401 - registers what stands in the addresses below
from studio.api.v1.access.views import AccessExportsView, AccessExportView, AccessFileView
from studio.api.v1.alerts.routes import AlertRouteRemovalView, AlertRoutesView, AlertRouteView
from studio.api.v1.alerts.views import (
    AlertChannelMuteView,
    AlertChannelRemovalView,
    AlertChannelResendView,
    AlertChannelsView,
    AlertChannelSwitchView,
    AlertChannelTrialView,
    AlertChannelView,
    AlertPreviewView,
    NotificationsView,
)
from studio.api.v1.apps.views import AppsView
from studio.api.v1.archive.views import ArchiveFilesView
from studio.api.v1.balance.views import BalanceView
from studio.api.v1.batch.views import EventBatchView
from studio.api.v1.config.stream import ConfigStreamView
from studio.api.v1.config.views import ConfigView
from studio.api.v1.erasure.accesses import ErasureAccessView
from studio.api.v1.erasure.views import (
    CancellationView,
    ConfirmationView,
    ErasuresView,
    ErasureView,
    ForwardRetryView,
)
from studio.api.v1.event_specs.views import (
    EventSpecComparisonView,
    EventSpecRemovalView,
    EventSpecsView,
    EventSpecView,
)
from studio.api.v1.events.views import EventFileView, EventsView
from studio.api.v1.findings.views import (
    AcceptanceView,
    DismissalView,
    FindingsView,
    FindingView,
    ReopeningView,
    SnoozeView,
)
from studio.api.v1.floor_exceptions.views import ExceptionsView, ExceptionView, RevocationView
from studio.api.v1.floors.views import AppFloorImpactView, AppFloorView, FloorImpactView, FloorView
from studio.api.v1.incidents.views import (
    AcknowledgementView,
    AssignmentView,
    BacktestView,
    IncidentCommentView,
    IncidentsView,
    IncidentView,
    MuteView,
    ResolutionView,
    UnmuteView,
)
from studio.api.v1.installations.configs import (
    ConfigPublicationView,
    ConfigRollbackView,
    ConfigStateView,
    ConfigVersionsView,
)
from studio.api.v1.installations.lifecycle import (
    BulkView,
    ConfigDiffView,
    ConfigPreviewView,
    ConfigVersionView,
    PromotionView,
    ScheduleView,
    UndoView,
    UnscheduleView,
)
from studio.api.v1.installations.views import EffectiveConfigView, InstallationsView, InstallationView
from studio.api.v1.live.views import LiveView
from studio.api.v1.proposals.views import (
    ProposalAcceptanceView,
    ProposalRejectionView,
    ProposalReopeningView,
    ProposalSnoozeView,
    ProposalsView,
    ProposalTakingBackView,
    ProposalView,
    ProposalWhatIfView,
)
from studio.api.v1.providers.views import (
    DeliveriesView,
    DeliveryView,
    ProviderRemovalView,
    ProvidersView,
    ProviderView,
    ResendView,
    SwitchView,
    TrialView,
)
from studio.api.v1.quarantine.views import DiscardView, HeldGroupsView, RehearsalView, ReplayView
from studio.api.v1.rescrubs.views import (
    RescrubAskView,
    RescrubCancelView,
    RescrubStartView,
    RescrubsView,
    RescrubView,
)
from studio.api.v1.retention.holds import HoldsView, HoldView, LiftingView, ReceiptFileView, ReceiptsView
from studio.api.v1.retention.views import (
    NextRunView,
    PurgeApprovalView,
    RetentionPreviewView,
    RetentionView,
    RunsView,
    RunView,
    SpecPreviewView,
)
from studio.api.v1.reviews.views import (
    ApprovalView,
    ChangeRequestView,
    CommentsView,
    ReviewsView,
    ReviewView,
    WithdrawalView,
)
from studio.api.v1.schema import SchemaView, SpecSchemaView
from studio.api.v1.specs.diff import DiffView
from studio.api.v1.specs.drafts import DraftView, PublicationView
from studio.api.v1.specs.impact import ImpactView
from studio.api.v1.specs.lint import DocumentLintView, DraftLintView, LintRulesView
from studio.api.v1.specs.versions import VersionsView, VersionView
from studio.api.v1.specs.views import SpecsView, SpecView
from studio.api.v1.tenants.views import TenantsView, TenantView
from studio.api.v1.traffic_drafts.views import InferredSpecView
from studio.api.v1.violations.views import DecisionView, ViolationFileView, ViolationsView, ViolationView
from studio.api.v1.what_if import ConfigWhatIfView, SpecWhatIfView

urlpatterns = [
    path("config", ConfigView.as_view()),
    path("config/stream", ConfigStreamView.as_view()),
    path("specs", SpecsView.as_view()),
    path("specs/<spec_name:name>", SpecView.as_view()),
    path("specs/<spec_name:name>/draft", DraftView.as_view()),
    path("specs/<spec_name:name>/lint", DraftLintView.as_view()),
    path("specs/<spec_name:name>/publish", PublicationView.as_view()),
    path("specs/<spec_name:name>/versions", VersionsView.as_view()),
    path("specs/<spec_name:name>/versions/<number:version>", VersionView.as_view()),
    path("specs/<spec_name:name>/diff", DiffView.as_view()),
    path("specs/<spec_name:name>/impact", ImpactView.as_view()),
    path("specs/<spec_name:name>/what-if", SpecWhatIfView.as_view()),
    path("lint", DocumentLintView.as_view()),
    path("lint-rules", LintRulesView.as_view()),
    path("specs/<spec_name:name>/reviews", ReviewsView.as_view()),
    path("reviews/<number:review_id>", ReviewView.as_view()),
    path("reviews/<number:review_id>/comments", CommentsView.as_view()),
    path("reviews/<number:review_id>/approve", ApprovalView.as_view()),
    path("reviews/<number:review_id>/request-changes", ChangeRequestView.as_view()),
    path("reviews/<number:review_id>/withdraw", WithdrawalView.as_view()),
    path("event-specs", EventSpecsView.as_view()),
    path("event-specs/<number:event_spec_id>", EventSpecView.as_view()),
    path("event-specs/<number:event_spec_id>/comparison", EventSpecComparisonView.as_view()),
    path("event-specs/<number:event_spec_id>/remove", EventSpecRemovalView.as_view()),
    path("events/batch", EventBatchView.as_view()),
    path("events", EventsView.as_view()),
    path("events.csv", EventFileView.as_view()),
    path("tenants", TenantsView.as_view()),
    path("tenants/<tenant_slug:slug>", TenantView.as_view()),
    path("apps", AppsView.as_view()),
    path("apps/<tenant_slug:slug>/floor", AppFloorView.as_view()),
    path("apps/<tenant_slug:slug>/floor/impact", AppFloorImpactView.as_view()),
    path("floor", FloorView.as_view()),
    path("floor/impact", FloorImpactView.as_view()),
    path("floor-exceptions", ExceptionsView.as_view()),
    path("floor-exceptions/<number:exception_id>", ExceptionView.as_view()),
    path("floor-exceptions/<number:exception_id>/revoke", RevocationView.as_view()),
    path("installations", InstallationsView.as_view()),
    path("installations/<uuid:installation_id>", InstallationView.as_view()),
    path("installations/<uuid:installation_id>/balance", BalanceView.as_view()),
    path("installations/<uuid:installation_id>/config", ConfigStateView.as_view()),
    path("installations/<uuid:installation_id>/config/publish", ConfigPublicationView.as_view()),
    path("installations/<uuid:installation_id>/config/rollback", ConfigRollbackView.as_view()),
    path("installations/<uuid:installation_id>/config/versions", ConfigVersionsView.as_view()),
    path("installations/<uuid:installation_id>/config/versions/<number:number>", ConfigVersionView.as_view()),
    path("installations/<uuid:installation_id>/config/versions/<number:number>/what-if", ConfigWhatIfView.as_view()),
    path("installations/<uuid:installation_id>/config/diff", ConfigDiffView.as_view()),
    path("installations/<uuid:installation_id>/config/preview", ConfigPreviewView.as_view()),
    path("installations/<uuid:installation_id>/config/schedule", ScheduleView.as_view()),
    path("installations/<uuid:installation_id>/config/schedule/<number:period_id>/end", UnscheduleView.as_view()),
    path("installations/<uuid:installation_id>/config/bulk", BulkView.as_view()),
    path("installations/<uuid:installation_id>/config/undo", UndoView.as_view()),
    path("installations/<uuid:installation_id>/config/promote", PromotionView.as_view()),
    path("installations/<uuid:installation_id>/effective-config", EffectiveConfigView.as_view()),
    path("installations/<uuid:installation_id>/inferred-spec", InferredSpecView.as_view()),
    path("installations/<uuid:installation_id>/live", LiveView.as_view()),
    path("proposals", ProposalsView.as_view()),
    path("proposals/<number:proposal_id>", ProposalView.as_view()),
    path("proposals/<number:proposal_id>/what-if", ProposalWhatIfView.as_view()),
    path("proposals/<number:proposal_id>/accept", ProposalAcceptanceView.as_view()),
    path("proposals/<number:proposal_id>/reject", ProposalRejectionView.as_view()),
    path("proposals/<number:proposal_id>/reopen", ProposalReopeningView.as_view()),
    path("proposals/<number:proposal_id>/snooze", ProposalSnoozeView.as_view()),
    path("proposals/<number:proposal_id>/take-back", ProposalTakingBackView.as_view()),
    path("incidents", IncidentsView.as_view()),
    path("incidents/<number:incident_id>", IncidentView.as_view()),
    path("incidents/<number:incident_id>/acknowledge", AcknowledgementView.as_view()),
    path("incidents/<number:incident_id>/assign", AssignmentView.as_view()),
    path("incidents/<number:incident_id>/comments", IncidentCommentView.as_view()),
    path("incidents/<number:incident_id>/mute", MuteView.as_view()),
    path("incidents/<number:incident_id>/resolve", ResolutionView.as_view()),
    path("incidents/<number:incident_id>/unmute", UnmuteView.as_view()),
    path("installations/<uuid:installation_id>/backtest", BacktestView.as_view()),
    path("alert-channels", AlertChannelsView.as_view()),
    path("alert-channels/preview", AlertPreviewView.as_view()),
    path("alert-channels/<uuid:channel_id>", AlertChannelView.as_view()),
    path("alert-channels/<uuid:channel_id>/mute", AlertChannelMuteView.as_view()),
    path("alert-channels/<uuid:channel_id>/notifications", NotificationsView.as_view()),
    path("alert-channels/<uuid:channel_id>/remove", AlertChannelRemovalView.as_view()),
    path("alert-channels/<uuid:channel_id>/resend", AlertChannelResendView.as_view()),
    path("alert-channels/<uuid:channel_id>/switch", AlertChannelSwitchView.as_view()),
    path("alert-channels/<uuid:channel_id>/try", AlertChannelTrialView.as_view()),
    path("alert-routes", AlertRoutesView.as_view()),
    path("alert-routes/<number:route_id>", AlertRouteView.as_view()),
    path("alert-routes/<number:route_id>/remove", AlertRouteRemovalView.as_view()),
    path("violations", ViolationsView.as_view()),
    path("violations.csv", ViolationFileView.as_view()),
    path("violations/<number:violation_id>", ViolationView.as_view()),
    path("violations/<number:violation_id>/decide", DecisionView.as_view()),
    path("quarantine", HeldGroupsView.as_view()),
    path("quarantine/<number:group_id>/rehearse", RehearsalView.as_view()),
    path("quarantine/<number:group_id>/replay", ReplayView.as_view()),
    path("quarantine/<number:group_id>/discard", DiscardView.as_view()),
    path("privacy-findings", FindingsView.as_view()),
    path("privacy-findings/<number:finding_id>", FindingView.as_view()),
    path("privacy-findings/<number:finding_id>/accept", AcceptanceView.as_view()),
    path("privacy-findings/<number:finding_id>/dismiss", DismissalView.as_view()),
    path("privacy-findings/<number:finding_id>/snooze", SnoozeView.as_view()),
    path("privacy-findings/<number:finding_id>/reopen", ReopeningView.as_view()),
    path("providers", ProvidersView.as_view()),
    path("providers/<uuid:provider_id>", ProviderView.as_view()),
    path("providers/<uuid:provider_id>/switch", SwitchView.as_view()),
    path("providers/<uuid:provider_id>/try", TrialView.as_view()),
    path("providers/<uuid:provider_id>/remove", ProviderRemovalView.as_view()),
    path("providers/<uuid:provider_id>/deliveries", DeliveriesView.as_view()),
    path("providers/<uuid:provider_id>/deliveries/<big_number:delivery_id>", DeliveryView.as_view()),
    path("providers/<uuid:provider_id>/resend", ResendView.as_view()),
    path("providers/<uuid:provider_id>/erasure-access", ErasureAccessView.as_view()),
    path("erasure-requests", ErasuresView.as_view()),
    path("erasure-requests/<uuid:erasure_id>", ErasureView.as_view()),
    path("erasure-requests/<uuid:erasure_id>/confirm", ConfirmationView.as_view()),
    path("erasure-requests/<uuid:erasure_id>/cancel", CancellationView.as_view()),
    path("erasure-requests/<uuid:erasure_id>/retry-providers", ForwardRetryView.as_view()),
    path("access-exports", AccessExportsView.as_view()),
    path("access-exports/<uuid:export_id>", AccessExportView.as_view()),
    path("access-exports/<uuid:export_id>/file", AccessFileView.as_view()),
    path("installations/<uuid:installation_id>/retention", RetentionView.as_view()),
    path("installations/<uuid:installation_id>/retention/preview", RetentionPreviewView.as_view()),
    path("specs/<spec_name:name>/retention-preview", SpecPreviewView.as_view()),
    path("purge-runs", RunsView.as_view()),
    path("purge-runs/next", NextRunView.as_view()),
    path("purge-runs/<big_number:run_id>", RunView.as_view()),
    path("purge-runs/<big_number:run_id>/approve", PurgeApprovalView.as_view()),
    path("legal-holds", HoldsView.as_view()),
    path("legal-holds/<big_number:hold_id>", HoldView.as_view()),
    path("legal-holds/<big_number:hold_id>/lift", LiftingView.as_view()),
    path("archive-files", ArchiveFilesView.as_view()),
    path("installations/<uuid:installation_id>/rescrub", RescrubAskView.as_view()),
    path("rescrubs", RescrubsView.as_view()),
    path("rescrubs/<uuid:rescrub_id>", RescrubView.as_view()),
    path("rescrubs/<uuid:rescrub_id>/start", RescrubStartView.as_view()),
    path("rescrubs/<uuid:rescrub_id>/cancel", RescrubCancelView.as_view()),
    path("receipts", ReceiptsView.as_view()),
    path("receipts.json", ReceiptFileView.as_view()),
    path("schema", SchemaView.as_view()),
    path("schemas/telemetry-spec.json", SpecSchemaView.as_view()),
]
