"""What lets a person be erased at a provider, where the credential for sending events does not."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from django.db import transaction
from django.utils import timezone

from telemetry.core.errors import Conflict, FieldError, InvalidDocument
from telemetry.models import ErasureAccess, ProviderKind, ProviderRecord
from telemetry.providers.base import Settings
from telemetry.providers.erasing import ErasureClient, eraser_of
from telemetry.providers.outgoing.targets import Resolver, check_target
from telemetry.services.credentials import seal_credential
from tenants.actors import Actor, require
from tenants.services import audit

__all__ = ["access_kind", "erasure_access", "set_erasure_access"]

LONGEST_CREDENTIAL: Final = 4_000
_WHAT: Final = "access"


def access_kind(kind: str) -> tuple[ErasureClient, type[Settings]] | None:
    """How providers of this kind are told, and what settings that takes; ``None`` if they need none, or cannot be."""
    client = eraser_of(kind)
    return None if client is None or client.access_type is None else (client, client.access_type)


def erasure_access(provider: ProviderRecord) -> ErasureAccess | None:
    """The provider's access; one query."""
    return ErasureAccess.objects.filter(provider=provider).first()


@transaction.atomic
def set_erasure_access(
    *,
    actor: Actor,
    provider: ProviderRecord,
    settings: Mapping[str, Any],
    credential: str,
    resolver: Resolver | None = None,
) -> ErasureAccess:
    """The provider is told of erasures with this access from now on.

    Needs ``provider.manage`` in the tenant. Raises ``Conflict`` for a kind that needs none or cannot be told, and
    ``InvalidDocument`` for what is wrong with settings, address or credential.
    """
    require(actor, "provider.manage", provider.tenant_id)
    kind = access_kind(provider.kind)
    if kind is None:
        raise Conflict(f"{ProviderKind(provider.kind).label} takes no access of its own for erasing")
    checked = _checked(provider.kind, *kind, settings, resolver)
    if not 0 < len(credential) <= LONGEST_CREDENTIAL or not credential.isascii() or not credential.isprintable():
        message = f"expected 1 to {LONGEST_CREDENTIAL} visible ASCII characters: {kind[0].credential_label}"
        raise InvalidDocument([FieldError("wrong_form", "credential", message)], what=_WHAT)
    access = erasure_access(provider) or ErasureAccess(tenant_id=provider.tenant_id, provider=provider)
    access.settings = checked
    access.sealed = seal_credential(provider.tenant_id, access.public_id, credential)
    access.sealed_at = timezone.now()
    access.save()
    audit.record(
        actor=actor,
        action="provider.erasure_access_set",
        target=provider,
        tenant_id=provider.tenant_id,
        details={"kind": provider.kind},
    )
    return access


def _checked(
    kind: str,
    client: ErasureClient,
    access_type: type[Settings],
    given: Mapping[str, Any],
    resolver: Resolver | None,
) -> dict[str, Any]:
    try:
        settings = msgspec.convert(dict(given), access_type)
    except msgspec.ValidationError:
        known = ", ".join(field.encode_name for field in msgspec.structs.fields(access_type))
        message = f"must be texts, and none but: {known}"
        raise InvalidDocument([FieldError("wrong_form", "settings", message)], what=_WHAT) from None
    # Another studio is called where its events go, which was checked when the provider was connected.
    if kind != ProviderKind.INTERNAL:
        setting, address = client.address_of(settings)
        check_target(address, f"settings.{setting}", resolver=resolver)
    return dict(msgspec.to_builtins(settings))
