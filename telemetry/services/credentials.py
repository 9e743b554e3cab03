"""Credentials of providers at rest: sealed for their tenant and for the one provider."""

from functools import lru_cache
from uuid import UUID

from django.conf import settings

from telemetry.core.errors import FieldError, InvalidDocument
from telemetry.models import ProviderRecord
from tenants.context import ALL, tenant_context
from tenants.sealing import BrokenSeal, Sealer

__all__ = ["open_credential", "reseal_credentials", "seal_credential"]

_PURPOSE = "provider credential"
# Rows of one transaction when all are sealed anew.
_SLICE = 200


def seal_credential(tenant_id: int, provider_id: UUID, credential: str) -> str:
    """The credential as it is stored; raises ``InvalidDocument`` where the operators have set no key for that."""
    if not settings.STUDIO_CREDENTIAL_KEYS:
        message = "cannot be kept: the operators of this studio have to set STUDIO_CREDENTIAL_KEYS first"
        raise InvalidDocument([FieldError("not_set_up", "credential", message)], what="provider")
    return _sealer().seal(tenant_id, provider_id.bytes + credential.encode()).decode("ascii")


def open_credential(provider: ProviderRecord) -> str:
    """The credential, empty if the provider has none; raises ``BrokenSeal`` when it is not this provider's."""
    if not provider.sealed:
        return ""
    if not settings.STUDIO_CREDENTIAL_KEYS:
        raise BrokenSeal("there is no key")
    content = _sealer().open(provider.tenant_id, provider.sealed.encode())
    if content[:16] != provider.public_id.bytes:
        raise BrokenSeal("the content is not this provider's")
    return content[16:].decode()


def reseal_credentials() -> tuple[int, int]:
    """Every credential is sealed under the first of ``STUDIO_CREDENTIAL_KEYS``; how many were, and how many cannot be.

    The others were sealed under keys that are gone, and have to be entered anew.
    """
    renewed = broken = 0
    last = 0
    while True:
        with tenant_context(ALL):
            rows = ProviderRecord.objects.exclude(sealed="").filter(pk__gt=last).order_by("pk")
            found = list(rows.select_for_update()[:_SLICE])
            for provider in found:
                try:
                    provider.sealed = seal_credential(provider.tenant_id, provider.public_id, open_credential(provider))
                    renewed += 1
                except BrokenSeal:
                    broken += 1
            ProviderRecord.objects.bulk_update(found, ["sealed"])
        if not found:
            return renewed, broken
        last = found[-1].pk


def _sealer() -> Sealer:
    return _sealer_of(tuple(settings.STUDIO_CREDENTIAL_KEYS))


@lru_cache(maxsize=4)
def _sealer_of(secrets: tuple[str, ...]) -> Sealer:
    return Sealer(secrets, purpose=_PURPOSE)
