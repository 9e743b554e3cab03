"""A provider of the demo workspace: what it took, and one event that it did not want."""

import secrets
from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Final

from django.conf import settings

from telemetry.models import ProviderKind, ProviderRecord
from telemetry.services.deliveries.claiming import Claim, claim
from telemetry.services.deliveries.sending import Sending, Trouble
from telemetry.services.deliveries.settling import settle
from telemetry.services.demo.traffic import make_events
from telemetry.services.ingest.service import ingest_batch
from telemetry.services.providers import connect_provider, switch_provider
from tenants.actors import SYSTEM
from tenants.models import Installation

__all__ = ["connect_web_hook"]

# A name that nobody has. Source: RFC 2606, section 3. It is not looked up, since a demo has no network.
_URL: Final = "https://hooks.example.com/events"
_PUBLIC: Final = "93.184.215.14"


def connect_web_hook(installation: Installation, *, now: datetime) -> None:
    """The installation has a web hook that took some events, refused one, and is switched off: nothing leaves the demo.

    Nothing happens where no credential can be kept.
    """
    if not settings.STUDIO_CREDENTIAL_KEYS:
        return
    provider = connect_provider(
        actor=SYSTEM,
        installation=installation,
        name="Order desk",
        kind=ProviderKind.WEBHOOK,
        settings={"url": _URL},
        credential=secrets.token_urlsafe(24),
        resolver=lambda _host: [_PUBLIC],
    )
    random = Random(provider.pk)  # noqa: S311 - a demo's data
    _play(installation, provider, 12, _taken, now, random)
    _play(installation, provider, 1, _refused, now, random)
    switch_provider(actor=SYSTEM, provider=provider, is_enabled=False)


def _taken(taken: Claim) -> Sending:
    return Sending(sent=sum(row.count for row in taken.rows))


def _refused(_: Claim) -> Sending:
    return Sending(trouble=Trouble.CONTENT, error="answered", status=422)


def _play(
    installation: Installation,
    provider: ProviderRecord,
    count: int,
    end: Callable[[Claim], Sending],
    now: datetime,
    random: Random,
) -> None:
    """So many events came, and the delivery ended so; anew as long as mistakes of the demo left nothing to deliver."""
    found = None
    while found is None:
        ingest_batch(installation=installation, events=make_events(now, count, random), received_at=now)
        found = claim(provider.pk, now=now)
    settle(found, end(found), now=now)
