"""How alert channels, routes and notifications are told."""

from typing import Final

from django.utils.safestring import SafeString

from studio import markup
from studio.pages.provider_words import error_words as provider_error_words
from telemetry.models import AlertChannel, AlertRoute, Notification, NotificationState

__all__ = ["channel_chip", "conditions_of", "error_words", "notification_chip", "notification_note"]

_ERRORS: Final = {
    "mail_not_set_up": "The operators of this studio have not set up mail (EMAIL_URL)",
    "mail_login": "The mail server did not take the studio's login",
    "mail_refused": "The mail server refused it with code {status}",
    "credential_unreadable": "Where it leads cannot be opened: enter it again",
    "busy": "A worker is at this channel just now: the test waits its turn",
}
_REASONS: Final = {
    "muted": "the incident was muted",
    "channel_muted": "the channel is muted, or was",
    "repeat": "told a short while ago",
    "storm": "more than the channel's messages an hour",
}
_TONES: Final = {
    NotificationState.WAITING: "amber",
    NotificationState.DELIVERED: "green",
    NotificationState.DEAD: "red",
    NotificationState.GATHERED: "blue",
    NotificationState.SUMMED_UP: "green",
    NotificationState.WITHHELD: "grey",
}


def error_words(error: str, status: int | None) -> str:
    """What went wrong, in a sentence without its full stop."""
    own = _ERRORS.get(error)
    return provider_error_words(error, status) if own is None else own.format(status=status or "unknown")


def channel_chip(channel: AlertChannel) -> SafeString:
    """Off, muted, delivering, failing, or new."""
    if not channel.is_enabled:
        return markup.chip("off")
    if channel.is_muted:
        return markup.chip("muted", "grey")
    if channel.failures:
        return markup.chip("failing", "red")
    return markup.chip("delivering", "green") if channel.last_delivered_at else markup.chip("ready")


def notification_chip(row: Notification) -> SafeString:
    """How far it has come."""
    state = NotificationState(row.state)
    return markup.chip(state.label.lower(), _TONES[state])


def notification_note(row: Notification) -> str:
    """Why it is where it is; empty if there is nothing to say."""
    if row.error:
        return error_words(row.error, row.status)
    return _REASONS.get(row.reason, "") if row.state != NotificationState.DELIVERED else ""


def conditions_of(route: AlertRoute) -> str:
    """What the route takes, in words."""
    if route.is_fallback:
        return "everything that no other route takes"
    parts = [
        f"events {route.event}" if route.event.endswith("*") else f"the event {route.event}" if route.event else "",
        f"the rule {route.rule}" if route.rule else "",
        f"of {route.app.slug}" if route.app else "",
        f"in {route.environment}" if route.environment else "",
        f"at {route.installation.app.slug} {route.installation.environment}" if route.installation else "",
        f"with the action {route.action}" if route.action else "",
    ]
    return ", ".join(part for part in parts if part) or "every incident"
