"""A tenant's key for pseudonyms, derived and never stored."""

import hashlib
import hmac
from typing import Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from telemetry.core.events import PseudonymKey
from tenants.models import Tenant

__all__ = ["event_id_secret", "installation_pseudonym_key"]

# The epochs of people's pseudonyms count from 1: epoch 0 is the key of event ids, which never changes.
_EVENT_ID_EPOCH: Final = 0


def installation_pseudonym_key(tenant: Tenant, *, epoch: int | None = None) -> PseudonymKey:
    """The key under which the subjects of all the tenant's installations get their pseudonyms; no query.

    HMAC-SHA-256 of the tenant's salt and the epoch under ``STUDIO_PSEUDONYM_KEY``: neither the database nor the setting
    alone gives a key away. ``epoch`` unset means the present one; earlier ones find what was stored under them.
    Raises ``ImproperlyConfigured`` if the setting is empty.
    """
    if not settings.STUDIO_PSEUDONYM_KEY:
        raise ImproperlyConfigured("STUDIO_PSEUDONYM_KEY: must be set")
    chosen = tenant.pseudonym_epoch if epoch is None else epoch
    material = f"{tenant.pseudonym_salt}|{chosen}".encode()
    secret = hmac.new(settings.STUDIO_PSEUDONYM_KEY.encode(), material, hashlib.sha256).digest()
    return PseudonymKey(epoch=chosen, secret=secret)


def event_id_secret(tenant: Tenant) -> bytes:
    """The secret under which ids that clients made up become ids that are kept, see ``core.event_ids``; no query."""
    return installation_pseudonym_key(tenant, epoch=_EVENT_ID_EPOCH).secret
