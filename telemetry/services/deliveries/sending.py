"""Sending the events of a claim, and saying in a word how it went."""

import logging
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid5

import msgspec

from telemetry.core.enums import PrivacyLevel
from telemetry.core.events import Context, Dispatch
from telemetry.models import ProviderRecord
from telemetry.providers.base import Connection, Delivery, Origin, ProviderClient, RefusedEvents
from telemetry.providers.clients import client_of
from telemetry.providers.outgoing.session import Answered, GuardedSession, Unreachable
from telemetry.providers.outgoing.targets import BlockedAddress
from telemetry.services.credentials import open_credential
from telemetry.services.deliveries.claiming import Claim
from telemetry.services.ingest.configs import IngestConfig, config_at_ingest
from telemetry.stores.base import StoredRow
from telemetry.stores.chosen import EVENT_STORE
from tenants.context import tenant_context
from tenants.sealing import BrokenSeal

__all__ = [
    "Sending",
    "Trouble",
    "answered",
    "connection_to",
    "delivery_id",
    "send",
    "send_to",
    "told_by",
]

logger = logging.getLogger(__name__)

# Statuses that may pass by themselves. Source: RFC 9110, section 15, and RFC 6585, section 4.
_PASSING: Final = frozenset({408, 425, 429, *range(500, 600)})
# The events themselves are what is wrong.
_CONTENT: Final = frozenset({400, 413, 415, 422})


class Trouble(Enum):
    """What kind of trouble it was: it may pass, somebody has to change something, or these events are not wanted."""

    PASSING = "passing"
    SETTINGS = "settings"
    CONTENT = "content"


class Sending(NamedTuple):
    """How it went: ``trouble`` is ``None`` when the other end has the ``sent`` events.

    ``error`` is a word of ours, ``status`` the HTTP status if one came, ``retry_after`` the pause asked for in seconds.
    """

    sent: int = 0
    trouble: Trouble | None = None
    error: str = ""
    status: int | None = None
    retry_after: float | None = None


def send(claim: Claim) -> Sending:
    """The events of the claim that are still there are sent; raises nothing."""
    provider = claim.provider
    try:
        with tenant_context((provider.tenant_id,)):
            deliveries = list(_deliveries(claim))
    except Exception as error:  # noqa: BLE001 - a worker must settle what it claimed, whatever is wrong with it
        return _unexpected(provider, error)
    return send_to(provider, deliveries) if deliveries else Sending()


def send_to(provider: ProviderRecord, deliveries: Sequence[Delivery]) -> Sending:
    """The events are sent to the provider, whose installation comes with tenant and app; raises nothing."""
    client: ProviderClient = client_of(provider.kind)
    told = told_by(provider, lambda session: client.send(connection_to(provider), deliveries, session))
    return told if told.trouble is not None else Sending(sent=len(deliveries))


def told_by(provider: ProviderRecord, call: Callable[[GuardedSession], None]) -> Sending:
    """How the call to the provider went, in a session of its own; raises nothing."""
    try:
        with GuardedSession() as session:
            call(session)
    except Unreachable as error:
        return Sending(trouble=Trouble.PASSING, error=f"unreachable_{error.reason}")
    except Answered as error:
        return answered(error)
    except BlockedAddress:
        return Sending(trouble=Trouble.SETTINGS, error="blocked_address")
    except RefusedEvents as error:
        return Sending(trouble=Trouble.CONTENT, error=error.reason)
    except BrokenSeal:
        return Sending(trouble=Trouble.SETTINGS, error="credential_unreadable")
    except Exception as error:  # noqa: BLE001 - foreign packages may raise anything
        return _unexpected(provider, error)
    return Sending()


def delivery_id(provider: ProviderRecord, event_id: UUID) -> UUID:
    """The id of this event's delivery to this provider: the same whenever it is sent."""
    return uuid5(provider.public_id, event_id.hex)


def connection_to(provider: ProviderRecord) -> Connection:
    """What a client has to know of the provider, whose installation comes with tenant and app.

    Raises ``BrokenSeal`` when its credential cannot be opened.
    """
    installation = provider.installation
    return Connection(
        settings=msgspec.convert(provider.settings, client_of(provider.kind).settings_type),
        credential=open_credential(provider),
        origin=Origin(installation.tenant.slug, installation.app.slug, installation.environment),
    )


def _deliveries(claim: Claim) -> Iterator[Delivery]:
    provider = claim.provider
    config = config_at_ingest(provider.installation)
    for row in claim.rows:
        for stored in EVENT_STORE.fetch(row.installation_id, row.received_at, row.names, row.event_ids):
            yield _delivery(provider, stored, config)


def _delivery(provider: ProviderRecord, stored: StoredRow, config: IngestConfig) -> Delivery:
    rules = None if config.compiled is None else config.compiled.find(stored.name, stored.version)
    dispatch = Dispatch(
        id=str(stored.id),
        name=stored.name,
        version=stored.version,
        occurred_at=stored.occurred_at,
        properties=stored.properties,
        privacy=PrivacyLevel(stored.privacy),
        context=msgspec.convert(stored.context, Context),
        tags=() if rules is None else rules.tags,
        inclusion_probability=stored.inclusion_probability,
        config_revision=stored.config_revision,
    )
    hidden: tuple[Any, ...] = ()
    if rules is not None:
        places = (*rules.properties.hidden.values(), *rules.metadata.hidden.values())
        hidden = tuple(rule.path for rule in places)
    return Delivery(delivery_id(provider, stored.id), dispatch, hidden)


def answered(answer: Answered) -> Sending:
    """What an answer that is not 2xx says about what was sent."""
    if answer.status in _PASSING:
        trouble = Trouble.PASSING
    elif answer.status in _CONTENT:
        trouble = Trouble.CONTENT
    else:
        trouble = Trouble.SETTINGS
    error = "too_large" if answer.status == 413 else "answered"
    return Sending(trouble=trouble, error=error, status=answer.status, retry_after=answer.retry_after)


def _unexpected(provider: ProviderRecord, error: Exception) -> Sending:
    # The type only: messages of foreign packages may quote what was sent, or the credential.
    details = {"provider": provider.pk, "error": type(error).__name__}
    logger.error("delivery.failed_unexpectedly", extra=details)
    return Sending(trouble=Trouble.PASSING, error="unexpected")
