"""Sending one notification, and saying in a word how it went."""

import logging
import smtplib
import ssl
import time
from collections.abc import Sequence
from email.utils import format_datetime
from typing import Final
from urllib.parse import urlsplit

import msgspec
from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone

from telemetry.models import ChannelKind
from telemetry.providers.outgoing.session import Answered, GuardedSession, Unreachable
from telemetry.providers.outgoing.targets import BlockedAddress
from telemetry.providers.webhook import SIGNATURE_HEADER, sign
from telemetry.services.alerts.claiming import Claim
from telemetry.services.alerts.composing import Composed, compose
from telemetry.services.alerts.destinations import Destination, open_destination
from telemetry.services.alerts.slack import blocks
from telemetry.services.deliveries.sending import Sending, Trouble, answered
from tenants.sealing import BrokenSeal

__all__ = ["is_mail_set_up", "send_notification"]

logger = logging.getLogger(__name__)

NO_MAIL: Final = "django.core.mail.backends.dummy.EmailBackend"
_JSON: Final = {"Content-Type": "application/json", "User-Agent": "telemetry-studio"}


def send_notification(claim: Claim) -> Sending:
    """The notification is sent to where its channel leads; raises nothing."""
    channel = claim.channel
    try:
        destination = open_destination(channel)
        composed = compose(channel, claim.row, at=timezone.now())
        if channel.kind == ChannelKind.EMAIL:
            return _mail(claim, destination, composed)
        return _post(claim, destination, composed)
    except BrokenSeal:
        return Sending(trouble=Trouble.SETTINGS, error="credential_unreadable")
    except Exception as error:  # noqa: BLE001 - a worker must settle what it claimed, whatever is wrong with it
        # The type only: messages of other packages may quote an address.
        logger.error("notification.failed_unexpectedly", extra={"channel": channel.pk, "error": type(error).__name__})
        return Sending(trouble=Trouble.PASSING, error="unexpected")


def is_mail_set_up() -> bool:
    """Whether the operators have said through which server mail goes."""
    return bool(settings.EMAIL_BACKEND != NO_MAIL)


def _post(claim: Claim, destination: Destination, composed: Composed) -> Sending:
    headers = {**_JSON, "Telemetry-Delivery": str(claim.row.public_id)}
    if claim.channel.kind == ChannelKind.SLACK:
        body = msgspec.json.encode(blocks(composed))
    else:
        body = msgspec.json.encode(composed.data)
        headers[SIGNATURE_HEADER] = sign(body, destination.secret, at=int(time.time()))
    try:
        with GuardedSession() as session:
            session.post(destination.url, data=body, headers=headers)
    except Unreachable as error:
        return Sending(trouble=Trouble.PASSING, error=f"unreachable_{error.reason}")
    except Answered as error:
        return answered(error)
    except BlockedAddress:
        return Sending(trouble=Trouble.SETTINGS, error="blocked_address")
    return Sending(sent=1)


def _mail(claim: Claim, destination: Destination, composed: Composed) -> Sending:
    """The server has the mail for at least one of the addresses."""
    if not is_mail_set_up():
        return Sending(trouble=Trouble.SETTINGS, error="mail_not_set_up")
    try:
        _written(claim, composed, destination.addresses).send()
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
        return _refused(error)
    except smtplib.SMTPAuthenticationError as error:
        return Sending(trouble=Trouble.SETTINGS, error="mail_login", status=error.smtp_code)
    except TimeoutError:
        return Sending(trouble=Trouble.PASSING, error="unreachable_timeout")
    except ssl.SSLError:
        return Sending(trouble=Trouble.PASSING, error="unreachable_tls")
    except (OSError, smtplib.SMTPException):
        return Sending(trouble=Trouble.PASSING, error="unreachable_connection")
    return Sending(sent=1)


def _written(claim: Claim, composed: Composed, addresses: Sequence[str]) -> EmailMessage:
    """The mail, the same each time. Nobody sees the other addresses."""
    row = claim.row
    return EmailMessage(
        subject=composed.message.subject,
        body=composed.message.text,
        from_email=settings.DEFAULT_FROM_EMAIL,
        bcc=list(addresses),
        headers={
            "To": settings.DEFAULT_FROM_EMAIL,
            "Message-ID": f"<{row.public_id.hex}@{_host()}>",
            "Date": format_datetime(row.created_at),
            # Source: RFC 3834, section 5: no holiday replies to this.
            "Auto-Submitted": "auto-generated",
            "Telemetry-Delivery": str(row.public_id),
            # Mail programs show what tells of the same incident together.
            **({"References": f"<incident.{row.incident_id}@{_host()}>"} if row.incident_id else {}),
        },
    )


def _host() -> str:
    return urlsplit(settings.STUDIO_PUBLIC_URL).hostname or "telemetry-studio.invalid"


def _refused(error: smtplib.SMTPException) -> Sending:
    """4xx may pass, 5xx will not. Source: RFC 5321, section 4.2.1."""
    codes = [error.smtp_code] if isinstance(error, smtplib.SMTPResponseException) else []
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
    code = max(codes, default=0)
    trouble = Trouble.PASSING if code < 500 else Trouble.CONTENT
    return Sending(trouble=trouble, error="mail_refused", status=code or None)
