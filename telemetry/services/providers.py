"""Providers of installations: connected, changed, tried, switched off, removed."""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

import msgspec
from django.db import IntegrityError, transaction
from django.utils import timezone

from telemetry.core.enums import PrivacyLevel
from telemetry.core.errors import Conflict, FieldError, InvalidDocument
from telemetry.core.events import Context, Dispatch
from telemetry.models import DeliveryRecord, DeliveryState, ProviderKind, ProviderRecord
from telemetry.providers.base import Delivery
from telemetry.providers.clients import client_of
from telemetry.providers.outgoing.targets import Resolver, check_target
from telemetry.services.credentials import seal_credential
from telemetry.services.deliveries.sending import Sending, delivery_id, send_to
from tenants.actors import Actor, require
from tenants.models import Installation
from tenants.services import audit
from tenants.services.config_revision import bump

__all__ = [
    "LONGEST_NAME",
    "change_provider",
    "connect_provider",
    "remove_provider",
    "resend_dead_letters",
    "switch_provider",
    "try_provider",
]

LONGEST_NAME: Final = 64
LONGEST_CREDENTIAL: Final = 4_000
# 128 bits in hex, less than which could be found by trying.
_SHORTEST_SIGNING_SECRET: Final = 16
_WHAT: Final = "provider"
# Source: RFC 9110, section 5.6.2, as far as anybody uses it.
_HEADER: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}").fullmatch
_FIXED_HEADERS: Final = frozenset({"host", "content-length", "content-type", "content-encoding", "transfer-encoding"})
_NOBODY: Final = Context()


def connect_provider(
    *,
    actor: Actor,
    installation: Installation,
    name: str,
    kind: ProviderKind,
    settings: Mapping[str, Any],
    credential: str,
    highest_level: PrivacyLevel = PrivacyLevel.PII,
    resolver: Resolver | None = None,
) -> ProviderRecord:
    """A new provider that is owed every event from now on, up to ``highest_level``.

    Needs ``provider.manage`` in the tenant. Raises ``InvalidDocument`` for what is wrong with name, settings, address
    or credential, and ``Conflict`` when the installation has a provider of this name.
    """
    require(actor, "provider.manage", installation.tenant_id)
    provider = ProviderRecord(
        public_id=uuid4(),
        tenant_id=installation.tenant_id,
        installation=installation,
        name=_checked_name(name),
        kind=kind.value,
        settings=_checked_settings(kind, settings, resolver),
        highest_level=highest_level.value,
    )
    _set_credential(provider, credential)
    details = {"kind": kind.value, "host": _host_of(provider), "highest_level": highest_level.value}
    try:
        with transaction.atomic():
            bump()
            provider.save(force_insert=True)
            audit.record(
                actor=actor,
                action="provider.connected",
                target=provider,
                tenant_id=provider.tenant_id,
                details=details,
            )
    except IntegrityError:
        raise Conflict(f"the installation has a provider named {provider.name!r} already") from None
    return provider


@transaction.atomic
def change_provider(
    *,
    actor: Actor,
    provider: ProviderRecord,
    settings: Mapping[str, Any],
    credential: str = "",
    highest_level: PrivacyLevel,
    resolver: Resolver | None = None,
) -> None:
    """The provider has these settings, and the credential if one is given, and is tried again at once.

    Settings that say where events go need the credential again: one that was entered for another address is not sent
    there. Needs ``provider.manage`` in the tenant. Raises ``InvalidDocument``.
    """
    require(actor, "provider.manage", provider.tenant_id)
    checked = _checked_settings(ProviderKind(provider.kind), settings, resolver)
    if checked != provider.settings and provider.sealed and not credential:
        message = "must be entered again, because it is for another address"
        raise InvalidDocument([FieldError("required", "credential", message)], what=_WHAT)
    bump()
    provider.settings = checked
    provider.highest_level = highest_level.value
    if credential:
        _set_credential(provider, credential)
    _wake_up(provider)
    provider.changed_at = timezone.now()
    provider.save(
        update_fields=[
            *("settings", "highest_level", "sealed", "sealed_at", "changed_at"),
            *("failures", "refusals", "paused_until"),
        ]
    )
    details = {
        "host": _host_of(provider),
        "highest_level": highest_level.value,
        "credential": "renewed" if credential else "kept",
    }
    audit.record(actor=actor, action="provider.changed", target=provider, tenant_id=provider.tenant_id, details=details)


@transaction.atomic
def switch_provider(*, actor: Actor, provider: ProviderRecord, is_enabled: bool) -> None:
    """On: events from now on go there, and what still waits. Off: nothing goes there, and nothing more is owed.

    What waits stays. Needs ``provider.operate`` in the tenant.
    """
    require(actor, "provider.operate", provider.tenant_id)
    bump()
    provider.is_enabled = is_enabled
    _wake_up(provider)
    provider.save(update_fields=["is_enabled", "failures", "refusals", "paused_until"])
    action = "provider.switched_on" if is_enabled else "provider.switched_off"
    audit.record(actor=actor, action=action, target=provider, tenant_id=provider.tenant_id)


@transaction.atomic
def remove_provider(*, actor: Actor, provider: ProviderRecord) -> int:
    """Provider, credential and deliveries are gone; how many events still waited. Needs ``provider.manage``."""
    require(actor, "provider.manage", provider.tenant_id)
    bump()
    waiting = sum(provider.deliveries.filter(state=DeliveryState.WAITING).values_list("count", flat=True))
    details = {"kind": provider.kind, "waiting": waiting}
    audit.record(actor=actor, action="provider.removed", target=provider, tenant_id=provider.tenant_id, details=details)
    provider.delete()
    return waiting


def try_provider(*, actor: Actor, provider: ProviderRecord) -> Sending:
    """One made-up event is sent there now, named ``telemetry.connection_test``; how that went.

    Takes as long as a call may take. Counts nothing and ends no rest. Needs ``provider.operate`` in the tenant.
    """
    require(actor, "provider.operate", provider.tenant_id)
    event_id = uuid4()
    dispatch = Dispatch(
        id=str(event_id),
        name="telemetry.connection_test",
        version=1,
        occurred_at=timezone.now(),
        properties={"from": "telemetry studio"},
        privacy=PrivacyLevel.PUBLIC,
        context=_NOBODY,
        tags=(),
        inclusion_probability=1.0,
        config_revision=0,
    )
    sending = send_to(provider, [Delivery(delivery_id(provider, event_id), dispatch, ())])
    details = {"outcome": sending.error or "taken", "status": sending.status}
    audit.record(actor=actor, action="provider.tried", target=provider, tenant_id=provider.tenant_id, details=details)
    return sending


@transaction.atomic
def resend_dead_letters(*, actor: Actor, provider: ProviderRecord, delivery_id: int | None = None) -> int:
    """One dead letter, or all of them, wait again as if they were new; how many. Needs ``provider.operate``.

    Events that are no longer stored will be passed over.
    """
    require(actor, "provider.operate", provider.tenant_id)
    rows = DeliveryRecord.objects.filter(provider=provider, state=DeliveryState.DEAD)
    if delivery_id is not None:
        rows = rows.filter(pk=delivery_id)
    now = timezone.now()
    count = rows.update(
        state=DeliveryState.WAITING, attempts=0, created_at=now, due_at=now, settled_at=None, error="", status=None
    )
    if count:
        ProviderRecord.objects.filter(pk=provider.pk).update(failures=0, refusals=0, paused_until=None)
        audit.record(
            actor=actor,
            action="provider.dead_letters_resent",
            target=provider,
            tenant_id=provider.tenant_id,
            details={"deliveries": count},
        )
    return count


def _host_of(provider: ProviderRecord) -> str:
    """Where events go, without what an address may carry in its path and query."""
    client = client_of(provider.kind)
    _, address = client.address_of(msgspec.convert(provider.settings, client.settings_type))
    return urlsplit(address).netloc


def _wake_up(provider: ProviderRecord) -> None:
    provider.failures = provider.refusals = 0
    provider.paused_until = None


def _set_credential(provider: ProviderRecord, credential: str) -> None:
    client = client_of(provider.kind)
    rule = None
    if not credential and client.needs_credential:
        rule = ("required", f"is required: {client.credential_label.lower()}")
    elif len(credential) > LONGEST_CREDENTIAL:
        rule = ("too_long", f"must not be longer than {LONGEST_CREDENTIAL} characters")
    elif not credential.isascii() or not credential.isprintable():
        # It travels in headers; anything else could end one and begin another.
        rule = ("wrong_form", "must be made of visible ASCII characters")
    elif provider.kind == ProviderKind.WEBHOOK and len(credential) < _SHORTEST_SIGNING_SECRET:
        rule = ("too_short", f"must have at least {_SHORTEST_SIGNING_SECRET} characters")
    if rule is not None:
        raise InvalidDocument([FieldError(rule[0], "credential", rule[1])], what=_WHAT)
    provider.sealed = seal_credential(provider.tenant_id, provider.public_id, credential) if credential else ""
    provider.sealed_at = timezone.now() if credential else None


def _checked_name(name: str) -> str:
    checked = name.strip()
    if not checked or len(checked) > LONGEST_NAME or not checked.isprintable():
        message = f"must have 1 to {LONGEST_NAME} visible characters"
        raise InvalidDocument([FieldError("wrong_form", "name", message)], what=_WHAT)
    return checked


def _checked_settings(kind: ProviderKind, given: Mapping[str, Any], resolver: Resolver | None) -> dict[str, Any]:
    """The settings as they are stored: of the kind's form, with an address that may be called."""
    client = client_of(kind.value)
    try:
        settings = msgspec.convert(dict(given), client.settings_type)
    except msgspec.ValidationError:
        known = ", ".join(field.encode_name for field in msgspec.structs.fields(client.settings_type))
        message = f"must be texts, and none but: {known}"
        raise InvalidDocument([FieldError("wrong_form", "settings", message)], what=_WHAT) from None
    setting, address = client.address_of(settings)
    check_target(address, f"settings.{setting}", resolver=resolver)
    _check_header(getattr(settings, "header", "Authorization"))
    return dict(msgspec.to_builtins(settings))


def _check_header(name: str) -> None:
    if not _HEADER(name) or name.lower() in _FIXED_HEADERS:
        message = "must be the name of a header of its own, such as Authorization or X-Api-Key"
        raise InvalidDocument([FieldError("wrong_form", "settings.header", message)], what=_WHAT)
