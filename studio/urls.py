"""Every address of the studio."""

from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView

from studio.admin.nouns import site
from studio.api.views import unknown_address
from studio.mcp.view import McpView
from studio.pages import alert_channel_deeds as alert_channels
from studio.pages.access_exports import access_page, download, new_access
from studio.pages.alert_channel import alert_channel_page
from studio.pages.alert_routes import alert_route, new_alert_route, remove_alert_route
from studio.pages.alerts import alerts_page
from studio.pages.anomaly_rules import anomaly_rule, anomaly_rules, remove_anomaly_rule
from studio.pages.archives import archive_page
from studio.pages.balance import balance_page
from studio.pages.catalog import catalog_csv, catalog_page
from studio.pages.erasure import cancel, confirm_page, erasure_page, retry
from studio.pages.erasure_access import erasure_access_page
from studio.pages.erasures import erasures_page, new_erasure
from studio.pages.held_group import discard_group, held_group
from studio.pages.incident import incident_page
from studio.pages.incidents import incidents_page
from studio.pages.legal_holds import legal_holds_page, lift_hold_page, place_hold_page
from studio.pages.lint_rules import lint_rule, lint_rules
from studio.pages.live import live_lines, live_page
from studio.pages.privacy_finding import privacy_finding
from studio.pages.privacy_inbox import privacy_inbox
from studio.pages.proposal import proposal_page
from studio.pages.proposals import proposals_page
from studio.pages.provider import provider_page
from studio.pages.provider_deeds import connect, remove, resend, resend_one, switch, try_out
from studio.pages.providers import providers_page
from studio.pages.purge_runs import purge_run_page, purge_runs_page
from studio.pages.quarantine import quarantine
from studio.pages.receipts import receipts_file, receipts_page
from studio.pages.rescrubs import ask_rescrub, cancel_rescrub, rescrub_page, rescrubs_page, start_rescrub
from studio.pages.retention import retention_page
from studio.pages.violation import violation_page
from studio.pages.violations import violations_csv, violations_page

handler400 = "studio.pages.errors.bad_request"
handler403 = "studio.pages.errors.permission_denied"
handler404 = "studio.pages.errors.not_found"
handler500 = "studio.pages.errors.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("studio/balance/", site.admin_view(balance_page), name="balance"),
    path("studio/catalog/", site.admin_view(catalog_page), name="catalog"),
    path("studio/catalog/csv/", site.admin_view(catalog_csv), name="catalog_csv"),
    path("studio/live/", site.admin_view(live_page), name="live"),
    path("studio/live/lines/", site.admin_view(live_lines), name="live_lines"),
    path("studio/lint-rules/", site.admin_view(lint_rules), name="lint_rules"),
    path("studio/lint-rules/<slug:rule>/", site.admin_view(lint_rule), name="lint_rule"),
    path("studio/events/<int:event_id>/anomaly-rules/", site.admin_view(anomaly_rules), name="anomaly_rules"),
    path("studio/events/<int:event_id>/anomaly-rules/new/", site.admin_view(anomaly_rule), name="new_anomaly_rule"),
    path("studio/events/<int:event_id>/anomaly-rules/<slug:rule>/", site.admin_view(anomaly_rule), name="anomaly_rule"),
    path(
        "studio/events/<int:event_id>/anomaly-rules/<slug:rule>/remove/",
        site.admin_view(remove_anomaly_rule),
        name="remove_anomaly_rule",
    ),
    path("studio/alerts/", site.admin_view(alerts_page), name="alerts"),
    path("studio/alerts/channels/new/", site.admin_view(alert_channels.new), name="new_alert_channel"),
    path("studio/alerts/channels/<uuid:channel_id>/", site.admin_view(alert_channel_page), name="alert_channel"),
    *(
        path(f"studio/alerts/channels/<uuid:channel_id>/{word}/", site.admin_view(deed), name=name)
        for word, deed, name in (
            ("try", alert_channels.try_out, "alert_channel_try"),
            ("switch", alert_channels.switch, "alert_channel_switch"),
            ("mute", alert_channels.mute, "alert_channel_mute"),
            ("resend", alert_channels.resend, "alert_channel_resend"),
            ("remove", alert_channels.remove, "remove_alert_channel"),
        )
    ),
    path("studio/alerts/routes/new/", site.admin_view(new_alert_route), name="new_alert_route"),
    path("studio/alerts/routes/<int:route_id>/", site.admin_view(alert_route), name="alert_route"),
    path("studio/alerts/routes/<int:route_id>/remove/", site.admin_view(remove_alert_route), name="remove_alert_route"),
    path("studio/incidents/", site.admin_view(incidents_page), name="incidents"),
    path("studio/incidents/<int:incident_id>/", site.admin_view(incident_page), name="incident"),
    path("studio/violations/", site.admin_view(violations_page), name="violations"),
    path("studio/violations/csv/", site.admin_view(violations_csv), name="violations_csv"),
    path("studio/violations/<int:violation_id>/", site.admin_view(violation_page), name="violation"),
    path("studio/privacy-inbox/", site.admin_view(privacy_inbox), name="privacy_inbox"),
    path("studio/privacy-inbox/<int:finding_id>/", site.admin_view(privacy_finding), name="privacy_finding"),
    path("studio/quarantine/", site.admin_view(quarantine), name="quarantine"),
    path("studio/quarantine/<int:row_id>/", site.admin_view(held_group), name="held_group"),
    path("studio/quarantine/<int:row_id>/discard/", site.admin_view(discard_group), name="discard_group"),
    path("studio/proposals/", site.admin_view(proposals_page), name="proposals"),
    path("studio/proposals/<int:proposal_id>/", site.admin_view(proposal_page), name="proposal"),
    path("studio/retention/", site.admin_view(retention_page), name="retention"),
    path("studio/purges/", site.admin_view(purge_runs_page), name="purge_runs"),
    path("studio/purges/<int:run_id>/", site.admin_view(purge_run_page), name="purge_run"),
    path("studio/legal-holds/", site.admin_view(legal_holds_page), name="legal_holds"),
    path("studio/legal-holds/place/", site.admin_view(place_hold_page), name="place_hold"),
    path("studio/legal-holds/<int:hold_id>/lift/", site.admin_view(lift_hold_page), name="lift_hold"),
    path("studio/archive/", site.admin_view(archive_page), name="archive"),
    path("studio/rescrubs/", site.admin_view(rescrubs_page), name="rescrubs"),
    path("studio/rescrubs/count/", site.admin_view(ask_rescrub), name="rescrub_ask"),
    path("studio/rescrubs/<uuid:run_id>/", site.admin_view(rescrub_page), name="rescrub"),
    path("studio/rescrubs/<uuid:run_id>/start/", site.admin_view(start_rescrub), name="rescrub_start"),
    path("studio/rescrubs/<uuid:run_id>/cancel/", site.admin_view(cancel_rescrub), name="rescrub_cancel"),
    path("studio/receipts/", site.admin_view(receipts_page), name="receipts"),
    path("studio/receipts/<str:slug>/file/", site.admin_view(receipts_file), name="receipts_file"),
    path("studio/providers/<uuid:provider_id>/erasing/", site.admin_view(erasure_access_page), name="erasure_access"),
    path("studio/erasure/", site.admin_view(erasures_page), name="erasures"),
    path("studio/erasure/new/", site.admin_view(new_erasure), name="new_erasure"),
    path("studio/erasure/<uuid:erasure_id>/", site.admin_view(erasure_page), name="erasure"),
    path("studio/erasure/<uuid:erasure_id>/confirm/", site.admin_view(confirm_page), name="confirm_erasure"),
    path("studio/erasure/<uuid:erasure_id>/cancel/", site.admin_view(cancel), name="cancel_erasure"),
    path("studio/erasure/<uuid:erasure_id>/retry/", site.admin_view(retry), name="retry_erasure"),
    path("studio/access/", site.admin_view(access_page), name="access_exports"),
    path("studio/access/new/", site.admin_view(new_access), name="new_access"),
    path("studio/access/<uuid:export_id>/download/", site.admin_view(download), name="download_access"),
    path("studio/providers/", site.admin_view(providers_page), name="providers"),
    path("studio/providers/connect/", site.admin_view(connect), name="provider_connect"),
    path("studio/providers/<uuid:provider_id>/", site.admin_view(provider_page), name="provider"),
    path("studio/providers/<uuid:provider_id>/try/", site.admin_view(try_out), name="provider_try"),
    path("studio/providers/<uuid:provider_id>/switch/", site.admin_view(switch), name="provider_switch"),
    path("studio/providers/<uuid:provider_id>/resend/", site.admin_view(resend), name="provider_resend"),
    path(
        "studio/providers/<uuid:provider_id>/resend/<int:delivery_id>/",
        site.admin_view(resend_one),
        name="provider_resend_one",
    ),
    path("studio/providers/<uuid:provider_id>/remove/", site.admin_view(remove), name="provider_remove"),
    path("studio/", site.urls),
    path("api/v1/", include("studio.api.v1.urls")),
    path("mcp", McpView.as_view(), name="mcp"),
    path("ingest/", include("studio.api.compat.urls")),
    # Some of Segment's clients keep only the host of the address that they are given.
    path("v1/", include("studio.api.compat.segment.urls")),
    re_path(r"^api/", unknown_address),
    re_path(r"^(?:ingest|v1)/", unknown_address),
]
