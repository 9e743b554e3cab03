"""Alert channels over HTTP."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.pages import page_of
from studio.api.parsers import decode_body
from studio.api.queries import read_query
from studio.api.schema import parameters_of
from studio.api.shapes import PageQuery
from studio.api.v1.alerts.serializers import (
    AlertChannelChange,
    AlertChannelItem,
    AlertChannelPage,
    AlertChannelRemoval,
    AlertChannelSwitch,
    AlertMute,
    AlertPreview,
    AlertResend,
    AlertResent,
    AlertTemplates,
    AlertTrial,
    AlertTrialAnswer,
    NewAlertChannel,
    NotificationPage,
    NotificationQuery,
    RemovedAlertChannel,
    destination_of,
    write_channel,
    write_notification,
    write_trial,
)
from studio.api.v1.base import ApiView
from studio.api.v1.examples import ALERT_CHANNEL, ALERT_CHANNEL_CHANGE, ALERT_MUTE, ALERT_SWITCH, ALERT_TEMPLATES
from telemetry.models import AlertChannel, ChannelKind, NotificationState
from telemetry.selectors.alerts import channel_by_id, channels, notifications, pending
from telemetry.services.alerts.channels import (
    change_channel,
    mute_channel,
    open_channel,
    remove_channel,
    switch_channel,
    try_channel,
)
from telemetry.services.alerts.resending import resend_notifications
from telemetry.services.alerts.wording import preview
from tenants.actors import require, require_somewhere
from tenants.selectors import tenant_by_slug

__all__ = [
    "AlertChannelMuteView",
    "AlertChannelRemovalView",
    "AlertChannelResendView",
    "AlertChannelSwitchView",
    "AlertChannelTrialView",
    "AlertChannelView",
    "AlertChannelsView",
    "AlertPreviewView",
    "NotificationsView",
]


class AlertChannelsView(ApiView):
    """``/api/v1/alert-channels``."""

    queries = {"GET": PageQuery}

    @extend_schema(operation_id="listAlertChannels", parameters=parameters_of(PageQuery), responses=AlertChannelPage)
    def get(self, request: Request) -> Response:
        """The alert channels of the tenants in which the caller has a role. Where they lead is not shown."""
        require_somewhere(actor_of(request), "view")
        query = read_query(request, PageQuery)
        rows, start = channels(), (query.page - 1) * query.page_size
        shown = list(rows[start : start + query.page_size])
        counts = pending([row.pk for row in shown])
        items = tuple(write_channel(row, counts[row.pk]) for row in shown)
        return Response(AlertChannelPage(page=query.page, page_size=query.page_size, total=rows.count(), items=items))

    @extend_schema(
        operation_id="openAlertChannel",
        request=NewAlertChannel,
        responses={201: AlertChannelItem},
        examples=[ALERT_CHANNEL],
    )
    def post(self, request: Request) -> Response:
        """Incidents are told there from now on, all of the tenant's if it is its first channel.

        Needs the ability `alert.manage`, and a login: where alerts go would outlive a stolen key. 400 for an address
        that leads into an internal network; 409 if the name is taken.
        """
        require_somewhere(actor_of(request), "alert.manage")
        body = decode_body(request, NewAlertChannel)
        tenant = tenant_by_slug(body.tenant)
        require(actor_of(request), "alert.manage", tenant.pk)
        channel = open_channel(
            actor=actor_of(request),
            tenant=tenant,
            name=body.name,
            kind=ChannelKind(body.kind),
            destination=destination_of(body.destination),
            settings=body.settings,
        )
        return _shown(channel, status=201)


class AlertPreviewView(ApiView):
    """``/api/v1/alert-channels/preview``."""

    @extend_schema(
        operation_id="previewAlert", request=AlertTemplates, responses=AlertPreview, examples=[ALERT_TEMPLATES]
    )
    def post(self, request: Request) -> Response:
        """What the templates make of an example; 400 names the template that is none. Nothing is stored."""
        require_somewhere(actor_of(request), "view")
        body = decode_body(request, AlertTemplates)
        subject, text = preview(body.subject, body.body)
        return Response(AlertPreview(subject=subject, text=text))


class AlertChannelView(ApiView):
    """``/api/v1/alert-channels/{id}``."""

    @extend_schema(operation_id="getAlertChannel", responses=AlertChannelItem)
    def get(self, request: Request, channel_id: UUID) -> Response:
        """One channel. Needs the ability `view` in its tenant."""
        channel = channel_by_id(channel_id)
        require(actor_of(request), "view", channel.tenant_id)
        return _shown(channel)

    @extend_schema(
        operation_id="changeAlertChannel",
        request=AlertChannelChange,
        responses=AlertChannelItem,
        examples=[ALERT_CHANNEL_CHANGE],
    )
    def put(self, request: Request, channel_id: UUID) -> Response:
        """The channel has these settings; what waits is sent with them. Needs `alert.manage` there, and a login."""
        channel = channel_by_id(channel_id)
        require(actor_of(request), "alert.manage", channel.tenant_id)
        body = decode_body(request, AlertChannelChange)
        destination = None if body.destination is None else destination_of(body.destination)
        changed = change_channel(
            actor=actor_of(request), channel=channel, settings=body.settings, destination=destination
        )
        return _shown(changed)


class AlertChannelTrialView(ApiView):
    """``/api/v1/alert-channels/{id}/try``."""

    @extend_schema(operation_id="tryAlertChannel", request=AlertTrial, responses=AlertTrialAnswer)
    def post(self, request: Request, channel_id: UUID) -> Response:
        """A test is sent there now, muted or not; how that went. Needs the ability `alert.operate` in the tenant.

        Takes as long as the other side takes, ten seconds at most. 409 after 20 tests within an hour.
        """
        channel = channel_by_id(channel_id)
        require(actor_of(request), "alert.operate", channel.tenant_id)
        decode_body(request, AlertTrial)
        return Response(write_trial(try_channel(actor=actor_of(request), channel=channel)))


class AlertChannelSwitchView(ApiView):
    """``/api/v1/alert-channels/{id}/switch``."""

    @extend_schema(
        operation_id="switchAlertChannel",
        request=AlertChannelSwitch,
        responses=AlertChannelItem,
        examples=[ALERT_SWITCH],
    )
    def post(self, request: Request, channel_id: UUID) -> Response:
        """On: it is told from now on. Off: it is told nothing, and nothing is kept for it. Needs `alert.operate`."""
        channel = channel_by_id(channel_id)
        require(actor_of(request), "alert.operate", channel.tenant_id)
        is_enabled = decode_body(request, AlertChannelSwitch).is_enabled
        return _shown(switch_channel(actor=actor_of(request), channel=channel, is_enabled=is_enabled))


class AlertChannelMuteView(ApiView):
    """``/api/v1/alert-channels/{id}/mute``."""

    @extend_schema(
        operation_id="muteAlertChannel", request=AlertMute, responses=AlertChannelItem, examples=[ALERT_MUTE]
    )
    def post(self, request: Request, channel_id: UUID) -> Response:
        """Nothing is sent until then; what still lasts is told then. Needs the ability `alert.operate`."""
        channel = channel_by_id(channel_id)
        require(actor_of(request), "alert.operate", channel.tenant_id)
        until = decode_body(request, AlertMute).until
        return _shown(mute_channel(actor=actor_of(request), channel=channel, until=until))


class AlertChannelRemovalView(ApiView):
    """``/api/v1/alert-channels/{id}/remove``."""

    @extend_schema(operation_id="removeAlertChannel", request=AlertChannelRemoval, responses=RemovedAlertChannel)
    def post(self, request: Request, channel_id: UUID) -> Response:
        """Channel, routes and notifications are gone for good. Needs `alert.manage` in the tenant, and a login."""
        channel = channel_by_id(channel_id)
        require(actor_of(request), "alert.manage", channel.tenant_id)
        decode_body(request, AlertChannelRemoval)
        return Response(RemovedAlertChannel(waiting=remove_channel(actor=actor_of(request), channel=channel)))


class NotificationsView(ApiView):
    """``/api/v1/alert-channels/{id}/notifications``."""

    queries = {"GET": NotificationQuery}

    @extend_schema(
        operation_id="listNotifications", parameters=parameters_of(NotificationQuery), responses=NotificationPage
    )
    def get(self, request: Request, channel_id: UUID) -> Response:
        """What the channel was told, waits for, and was not told. Needs the ability `view` in its tenant."""
        channel = channel_by_id(channel_id)
        require(actor_of(request), "view", channel.tenant_id)
        query = read_query(request, NotificationQuery)
        state = None if query.state is None else NotificationState(query.state)
        return Response(page_of(notifications(channel, state), query, write_notification))


class AlertChannelResendView(ApiView):
    """``/api/v1/alert-channels/{id}/resend``."""

    @extend_schema(operation_id="resendNotifications", request=AlertResend, responses=AlertResent)
    def post(self, request: Request, channel_id: UUID) -> Response:
        """What was given up waits as if it were new, one or all. Needs the ability `alert.operate` in the tenant."""
        channel = channel_by_id(channel_id)
        require(actor_of(request), "alert.operate", channel.tenant_id)
        body = decode_body(request, AlertResend)
        count = resend_notifications(actor=actor_of(request), channel=channel, notification_id=body.notification)
        return Response(AlertResent(notifications=count))


def _shown(channel: AlertChannel, *, status: int = 200) -> Response:
    return Response(write_channel(channel, pending([channel.pk])[channel.pk]), status=status)
