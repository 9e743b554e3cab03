"""Credentials of providers at rest: sealed for their tenant and for the one provider."""

from functools import lru_cache
from typing import Protocol, TypeVar
from uuid import UUID

from django.conf import settings

from telemetry.core.errors import FieldError, InvalidDocument
from telemetry.models import ErasureAccess, ProviderRecord
from tenants.context import ALL, tenant_context
from tenants.sealing import BrokenSeal, Sealer

__all__ = ["open_credential", "reseal_credentials", "seal_credential"]

Sealed = TypeVar("Sealed", ProviderRecord, ErasureAccess)

_PURPOSE = "provider credential"
# Rows of one transaction when all are sealed anew.
_SLICE = 200


class HasCredential(Protocol):
    """A row that holds a sealed credential, bound to the row and its tenant."""

    tenant_id: int
    public_id: UUID
    sealed: str


def seal_credential(tenant_id: int, row_id: UUID, credential: str) -> str:
    """The credential as it is stored; raises ``InvalidDocument`` where the operators have set no key for that."""
    if not settings.STUDIO_CREDENTIAL_KEYS:
        message = "cannot be kept: the operators of this studio have to set STUDIO_CREDENTIAL_KEYS first"
        raise InvalidDocument([FieldError("not_set_up", "credential", message)], what="provider")
    return _sealer().seal(tenant_id, row_id.bytes + credential.encode()).decode("ascii")


def open_credential(row: HasCredential) -> str:
    """The credential, empty if the row has none; raises ``BrokenSeal`` when it is not this row's."""
    if not row.sealed:
        return ""
    if not settings.STUDIO_CREDENTIAL_KEYS:
        raise BrokenSeal("there is no key")
    content = _sealer().open(row.tenant_id, row.sealed.encode())
    if content[:16] != row.public_id.bytes:
        raise BrokenSeal("the content is not this row's")
    return content[16:].decode()


def reseal_credentials() -> tuple[int, int]:
    """Every credential is sealed under the first of ``STUDIO_CREDENTIAL_KEYS``; how many were, and how many cannot be.

    The others were sealed under keys that are gone, and have to be entered anew.
    """
    providers, accesses = _reseal_rows(ProviderRecord), _reseal_rows(ErasureAccess)
    return providers[0] + accesses[0], providers[1] + accesses[1]


def _reseal_rows(model: type[Sealed]) -> tuple[int, int]:
    renewed = broken = 0
    last = 0
    while True:
        with tenant_context(ALL):
            rows = model._default_manager.exclude(sealed="").filter(pk__gt=last).order_by("pk")
            found = list(rows.select_for_update()[:_SLICE])
            for row in found:
                try:
                    row.sealed = seal_credential(row.tenant_id, row.public_id, open_credential(row))
                    renewed += 1
                except BrokenSeal:
                    broken += 1
            model._default_manager.bulk_update(found, ["sealed"])
        if not found:
            return renewed, broken
        last = found[-1].pk


def _sealer() -> Sealer:
    return _sealer_of(tuple(settings.STUDIO_CREDENTIAL_KEYS))


@lru_cache(maxsize=4)
def _sealer_of(secrets: tuple[str, ...]) -> Sealer:
    return Sealer(secrets, purpose=_PURPOSE)
