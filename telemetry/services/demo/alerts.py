"""Somebody in the demo workspace who is told of incidents, where that reaches nobody outside."""

from django.conf import settings

from telemetry.models import ChannelKind
from telemetry.services.alerts.channels import open_channel, queue_test
from telemetry.services.alerts.destinations import Destination
from tenants.actors import SYSTEM
from tenants.models import Tenant

__all__ = ["tell_somebody"]


def tell_somebody(tenant: Tenant) -> None:
    """The tenant has a channel, with a test on its way, where mails are files: nothing leaves the machine.

    Nothing is changed in a studio with a real mail server or without keys for credentials.
    """
    if not settings.EMAIL_FILE_PATH or not settings.STUDIO_CREDENTIAL_KEYS:
        return
    channel = open_channel(
        actor=SYSTEM,
        tenant=tenant,
        name="On call",
        kind=ChannelKind.EMAIL,
        destination=Destination(addresses=("on-call@acme.example",)),
    )
    queue_test(channel)
