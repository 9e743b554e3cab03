"""A tenant's key for pseudonyms, derived and never stored."""

import hashlib
import hmac

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from telemetry.core.events import PseudonymKey
from tenants.models import Tenant

__all__ = ["installation_pseudonym_key"]


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
