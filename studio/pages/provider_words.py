"""How providers and their state are told."""

from typing import Final

from django.utils import timezone
from django.utils.safestring import SafeString

from studio import markup
from telemetry.models import ProviderRecord

__all__ = ["error_words", "state_chip"]

_ERRORS: Final = {
    "answered": "It answered with status {status}",
    "too_large": "An event is larger than it takes",
    "unwritable": "An event could not be written for it",
    "unreachable_timeout": "It did not answer in time",
    "unreachable_tls": "Its certificate is not valid",
    "unreachable_connection": "No connection could be made",
    "blocked_address": "Its address leads into an internal network",
    "credential_unreadable": "Its credential cannot be opened: enter it again",
    "unexpected": "Something went wrong here; the log of the studio says what",
}


def error_words(error: str, status: int | None) -> str:
    """What went wrong, in a sentence without its full stop."""
    return _ERRORS.get(error, "Something went wrong").format(status=status or "unknown")


def state_chip(provider: ProviderRecord) -> SafeString:
    """Off, delivering, failing, or new."""
    if not provider.is_enabled:
        return markup.chip("off")
    if provider.failures and provider.paused_until and provider.paused_until > timezone.now():
        return markup.chip("failing", "red")
    if provider.failures:
        return markup.chip("trying again", "amber")
    return markup.chip("delivering", "green") if provider.last_delivered_at else markup.chip("ready")
