"""Alert channels: opened, changed, tried, muted, switched off, removed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import msgspec
from django.db import IntegrityError, transaction
from django.utils import timezone

from telemetry.core.errors import Conflict, FieldError, InvalidDocument
from telemetry.models import AlertChannel, AlertRoute, ChannelKind, Notification, NotificationKind, Pace
from telemetry.providers.outgoing.targets import Resolver
from telemetry.services.alerts.claiming import claim_test
from telemetry.services.alerts.destinations import (
    Destination,
    check_destination,
    place_of,
    seal_destination,
)
from telemetry.services.alerts.sending import is_mail_set_up, send_notification
from telemetry.services.alerts.settling import settle_notification
from telemetry.services.alerts.wording import check_templates
from telemetry.services.deliveries.sending import Sending, Trouble
from tenants.actors import Actor, require
from tenants.context import tenant_context
from tenants.models import Tenant
from tenants.services import audit

__all__ = [
    "LONGEST_CHANNEL_MUTE",
    "LONGEST_NAME",
    "MOST_PER_HOUR",
    "QUIET_MINUTES",
    "TESTS_PER_HOUR",
    "ChannelSettings",
    "change_channel",
    "mute_channel",
    "open_channel",
    "queue_test",
    "remove_channel",
    "switch_channel",
    "try_channel",
]

LONGEST_NAME: Final = 64
LONGEST_CHANNEL_MUTE: Final = timedelta(days=30)
# A day: what repeats for longer is a new matter.
QUIET_MINUTES: Final = 1_440
# Slack takes one message a second, and no person reads that many.
MOST_PER_HOUR: Final = 1_000
TESTS_PER_HOUR: Final = 20
_WHAT: Final = "alert channel"


class ChannelSettings(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How a channel is told: its templates, empty for the standard ones, and how often; see ``AlertChannel``."""

    subject: str = ""
    body: str = ""
    tells_end: bool = True
    tells_acknowledgement: bool = False
    quiet_minutes: int = 60
    most_per_hour: int = 20
    pace: str = Pace.AT_ONCE.value
    digest_hour: int = 7


def open_channel(
    *,
    actor: Actor,
    tenant: Tenant,
    name: str,
    kind: ChannelKind,
    destination: Destination,
    settings: ChannelSettings | None = None,
    resolver: Resolver | None = None,
) -> AlertChannel:
    """A new channel of the tenant; where it is the first one, every incident that no other route takes goes there.

    Needs ``alert.manage`` in the tenant. Raises ``InvalidDocument`` for what is wrong with name, destination, templates
    or limits, and ``Conflict`` when the tenant has a channel of this name.
    """
    require(actor, "alert.manage", tenant.pk)
    how = settings or ChannelSettings()
    if kind is ChannelKind.EMAIL and not is_mail_set_up():
        message = "cannot be used: the operators of this studio have to set EMAIL_URL first"
        raise InvalidDocument([FieldError("not_set_up", "kind", message)], what=_WHAT)
    channel = AlertChannel(public_id=uuid4(), tenant=tenant, name=_checked_name(name), kind=kind.value)
    _set_settings(channel, how)
    _set_destination(channel, check_destination(kind, destination, resolver=resolver))
    try:
        with transaction.atomic():
            channel.save(force_insert=True)
            is_first = not AlertRoute.objects.filter(tenant=tenant).exists()
            if is_first:
                AlertRoute.objects.create(tenant=tenant, channel=channel, is_fallback=True)
            _record(actor, channel, "opened", kind=kind.value, place=channel.place, fallback=is_first)
    except IntegrityError:
        raise Conflict(f"the tenant has an alert channel named {channel.name!r} already") from None
    return channel


@transaction.atomic
def change_channel(
    *,
    actor: Actor,
    channel: AlertChannel,
    settings: ChannelSettings,
    destination: Destination | None = None,
    resolver: Resolver | None = None,
) -> AlertChannel:
    """The channel is told like this, at another destination if one is given, and is tried again at once.

    Needs ``alert.manage`` in the tenant. Raises ``InvalidDocument``.
    """
    require(actor, "alert.manage", channel.tenant_id)
    _set_settings(channel, settings)
    if destination is not None:
        _set_destination(channel, check_destination(ChannelKind(channel.kind), destination, resolver=resolver))
    channel.failures, channel.paused_until, channel.changed_at = 0, None, timezone.now()
    channel.save(
        update_fields=[
            *msgspec.structs.asdict(settings),
            *("sealed", "sealed_at", "place", "failures", "paused_until", "changed_at"),
        ]
    )
    moved = "kept" if destination is None else channel.place
    _record(actor, channel, "changed", place=moved, **_limits(settings))
    return channel


@transaction.atomic
def switch_channel(*, actor: Actor, channel: AlertChannel, is_enabled: bool) -> AlertChannel:
    """On: it is told of what happens from now on, and of what waits. Off: it is told nothing, and nothing is kept.

    Needs ``alert.operate`` in the tenant.
    """
    require(actor, "alert.operate", channel.tenant_id)
    channel.is_enabled, channel.failures, channel.paused_until = is_enabled, 0, None
    channel.save(update_fields=["is_enabled", "failures", "paused_until"])
    _record(actor, channel, "switched_on" if is_enabled else "switched_off")
    return channel


@transaction.atomic
def mute_channel(*, actor: Actor, channel: AlertChannel, until: datetime | None) -> AlertChannel:
    """Until the instant nothing is sent; what would be is kept, and sent then if it still lasts. ``None``: at once.

    Needs ``alert.operate`` in the tenant. Raises ``InvalidDocument`` for an instant past or more than 30 days ahead.
    """
    require(actor, "alert.operate", channel.tenant_id)
    now = timezone.now()
    if until is not None and not now < until <= now + LONGEST_CHANNEL_MUTE:
        message = f"must be ahead, by {LONGEST_CHANNEL_MUTE.days} days at most"
        raise InvalidDocument([FieldError("out_of_range", "until", message)], what="mute")
    channel.muted_until = until
    channel.save(update_fields=["muted_until"])
    details = {} if until is None else {"until": until.isoformat()}
    _record(actor, channel, "unmuted" if until is None else "muted", **details)
    return channel


@transaction.atomic
def remove_channel(*, actor: Actor, channel: AlertChannel) -> int:
    """Channel, destination, routes and notifications are gone; how many notifications still waited.

    Needs ``alert.manage`` in the tenant.
    """
    require(actor, "alert.manage", channel.tenant_id)
    waiting = channel.notifications.filter(settled_at=None).count()
    _record(actor, channel, "removed", kind=channel.kind, waiting=waiting)
    channel.delete()
    return waiting


def try_channel(*, actor: Actor, channel: AlertChannel) -> Sending:
    """One test is sent there now, muted or not; how that went. Takes as long as a call may take.

    Needs ``alert.operate`` in the tenant. The test stands among the channel's notifications. Raises ``Conflict`` after
    as many tests within an hour as anybody needs: whoever is at the other end has not asked for them.
    """
    require(actor, "alert.operate", channel.tenant_id)
    lately = timezone.now() - timedelta(hours=1)
    if channel.notifications.filter(kind=NotificationKind.TEST, created_at__gt=lately).count() >= TESTS_PER_HOUR:
        raise Conflict(f"this channel had {TESTS_PER_HOUR} tests within an hour")
    taken = claim_test(queue_test(channel), now=timezone.now())
    if taken is None:
        # It waits among the others: a worker is at this channel just now.
        return Sending(trouble=Trouble.PASSING, error="busy")
    sending = send_notification(taken)
    settle_notification(taken, sending, now=timezone.now())
    with tenant_context((channel.tenant_id,)):
        _record(actor, channel, "tried", outcome=sending.error or "taken", status=sending.status)
    return sending


def queue_test(channel: AlertChannel) -> Notification:
    """A test that a worker sends."""
    with tenant_context((channel.tenant_id,)):
        return Notification.objects.create(tenant_id=channel.tenant_id, channel=channel, kind=NotificationKind.TEST)


def _record(actor: Actor, channel: AlertChannel, deed: str, **details: Any) -> None:
    action = f"alert_channel.{deed}"
    audit.record(actor=actor, action=action, target=channel, tenant_id=channel.tenant_id, details=details)


def _limits(settings: ChannelSettings) -> Mapping[str, Any]:
    """What of the settings an audit entry shows: not the templates, which are long."""
    every = msgspec.structs.asdict(settings)
    return {name: value for name, value in every.items() if name not in ("subject", "body")}


def _set_destination(channel: AlertChannel, destination: Destination) -> None:
    channel.sealed = seal_destination(channel.tenant_id, channel.public_id, destination)
    channel.sealed_at = timezone.now()
    channel.place = place_of(destination)


def _set_settings(channel: AlertChannel, settings: ChannelSettings) -> None:
    check_templates(settings.subject, settings.body)
    limits = {
        "quietMinutes": (settings.quiet_minutes, 0, QUIET_MINUTES),
        "mostPerHour": (settings.most_per_hour, 1, MOST_PER_HOUR),
        "digestHour": (settings.digest_hour, 0, 23),
    }
    errors = [
        FieldError("out_of_range", path, f"must be {least} to {most}")
        for path, (value, least, most) in limits.items()
        if not least <= value <= most
    ]
    if settings.pace not in Pace.values:
        errors.append(FieldError("unknown_word", "pace", f"must be one of {', '.join(Pace.values)}"))
    if errors:
        raise InvalidDocument(errors, what=_WHAT)
    for name, value in msgspec.structs.asdict(settings).items():
        setattr(channel, name, value)


def _checked_name(name: str) -> str:
    checked = name.strip()
    if not checked or len(checked) > LONGEST_NAME or not checked.isprintable():
        message = f"must have 1 to {LONGEST_NAME} visible characters"
        raise InvalidDocument([FieldError("wrong_form", "name", message)], what=_WHAT)
    return checked
