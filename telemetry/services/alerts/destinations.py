"""Where alerts go, at rest: sealed for their tenant and for the one channel, like credentials of providers."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from telemetry.core.errors import FieldError, InvalidDocument
from telemetry.models import AlertChannel, ChannelKind
from telemetry.providers.outgoing.targets import Resolver, check_target
from tenants.context import ALL, tenant_context
from tenants.sealing import BrokenSeal, Sealer

__all__ = [
    "MOST_ADDRESSES",
    "Destination",
    "check_destination",
    "open_destination",
    "place_of",
    "reseal_destinations",
    "seal_destination",
]

_PURPOSE: Final = "alert destination"
_SLICE: Final = 200
_WHAT: Final = "alert channel"
# A mailing list is the better place for more.
MOST_ADDRESSES: Final = 20
# 128 bits in hex, less than which could be found by trying.
_SHORTEST_SECRET: Final = 16
_LONGEST_SECRET: Final = 200


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """``addresses`` of mail, or the ``url`` of a hook and the ``secret`` that its messages are signed with.

    It never shows in a ``repr``: addresses are personal data, and a hook's address is all that posting there takes.
    """

    addresses: tuple[str, ...] = ()
    url: str = ""
    secret: str = ""

    def __repr__(self) -> str:
        return "Destination()"


def check_destination(kind: ChannelKind, destination: Destination, *, resolver: Resolver | None = None) -> Destination:
    """The destination as it is kept: of the kind's form, and where it may be called.

    Raises ``InvalidDocument`` that names ``addresses``, ``url`` or ``secret``, and never repeats what was typed in.
    """
    if kind is ChannelKind.EMAIL:
        return Destination(addresses=_checked_addresses(destination.addresses))
    check_target(destination.url, "url", resolver=resolver)
    if kind is ChannelKind.SLACK:
        return Destination(url=destination.url)
    secret = destination.secret
    if not _SHORTEST_SECRET <= len(secret) <= _LONGEST_SECRET or not secret.isascii() or not secret.isprintable():
        message = f"must have {_SHORTEST_SECRET} to {_LONGEST_SECRET} visible ASCII characters"
        raise InvalidDocument([FieldError("wrong_form", "secret", message)], what=_WHAT)
    return Destination(url=destination.url, secret=secret)


def place_of(destination: Destination) -> str:
    """As much as may be shown: a hook's host, or how many addresses there are at which domains."""
    if destination.url:
        return urlsplit(destination.url).netloc
    domains = sorted({address.rpartition("@")[2].lower() for address in destination.addresses})
    count = len(destination.addresses)
    shown = ", ".join(domains[:3]) + (" and others" if len(domains) > 3 else "")
    return f"{count} {'address' if count == 1 else 'addresses'} at {shown}"[:300]


def seal_destination(tenant_id: int, channel_id: UUID, destination: Destination) -> str:
    """The destination as it is stored; raises ``InvalidDocument`` where the operators have set no key for that."""
    if not settings.STUDIO_CREDENTIAL_KEYS:
        message = "cannot be kept: the operators of this studio have to set STUDIO_CREDENTIAL_KEYS first"
        path = "url" if destination.url else "addresses"
        raise InvalidDocument([FieldError("not_set_up", path, message)], what=_WHAT)
    content = channel_id.bytes + msgspec.json.encode(destination)
    return _sealer().seal(tenant_id, content).decode("ascii")


def open_destination(channel: AlertChannel) -> Destination:
    """Where the channel leads; raises ``BrokenSeal`` when that is not this channel's."""
    if not settings.STUDIO_CREDENTIAL_KEYS:
        raise BrokenSeal("there is no key")
    content = _sealer().open(channel.tenant_id, channel.sealed.encode())
    if content[:16] != channel.public_id.bytes:
        raise BrokenSeal("the content is not this channel's")
    return msgspec.json.decode(content[16:], type=Destination)


def reseal_destinations() -> tuple[int, int]:
    """Every destination is sealed under the first of ``STUDIO_CREDENTIAL_KEYS``; how many were, and cannot be."""
    renewed = broken = last = 0
    while True:
        with tenant_context(ALL):
            rows = AlertChannel.objects.filter(pk__gt=last).order_by("pk")
            found = list(rows.select_for_update()[:_SLICE])
            for channel in found:
                try:
                    opened = open_destination(channel)
                    channel.sealed = seal_destination(channel.tenant_id, channel.public_id, opened)
                    renewed += 1
                except BrokenSeal:
                    broken += 1
            AlertChannel.objects.bulk_update(found, ["sealed"])
        if not found:
            return renewed, broken
        last = found[-1].pk


def _checked_addresses(addresses: Sequence[str]) -> tuple[str, ...]:
    """The addresses, each once. ``validate_email`` knows no line ends and no names with it, so no header can begin."""
    checked = tuple(dict.fromkeys(address.strip() for address in addresses if address.strip()))
    if not 1 <= len(checked) <= MOST_ADDRESSES:
        message = f"must be 1 to {MOST_ADDRESSES} addresses"
        raise InvalidDocument([FieldError("wrong_form", "addresses", message)], what=_WHAT)
    for place, address in enumerate(checked):
        try:
            validate_email(address)
        except ValidationError:
            is_valid = False
        else:
            is_valid = _PLAIN(address) is not None
        if not is_valid:
            message = f"must be e-mail addresses; number {place + 1} is none"
            raise InvalidDocument([FieldError("wrong_form", "addresses", message)], what=_WHAT)
    return checked


# Source: RFC 5322, section 3.4.1, without quoted local parts, which nobody uses and every mail program reads otherwise.
_PLAIN: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}\Z").match


def _sealer() -> Sealer:
    return _sealer_of(tuple(settings.STUDIO_CREDENTIAL_KEYS))


@lru_cache(maxsize=4)
def _sealer_of(secrets: tuple[str, ...]) -> Sealer:
    return Sealer(secrets, purpose=_PURPOSE)
