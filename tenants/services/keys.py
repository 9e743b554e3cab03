"""Keys: issued once, proven at every call, revoked at once.

What processes remember of a key, they forget before its revocation returns: that is a change as ``bump`` counts them.
"""

import hmac
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models import Q, Value
from django.db.models.functions import Least
from django.utils import timezone

from telemetry.core.enums import Environment
from telemetry.core.errors import Conflict, FieldError, NotAllowed
from tenants.actors import Actor, require
from tenants.context import set_api_key_lookup, set_tenant_context
from tenants.keys import KeyText, digest_of, mint, parse, refuse
from tenants.models import ActorKind, ApiKey, Installation, KeyKind
from tenants.roles import Scope
from tenants.services import audit
from tenants.services.checks import line_error, refuse_errors
from tenants.services.config_revision import bump

__all__ = ["IssuedKey", "authenticate", "good_until", "issue_key", "issue_personal_key", "revoke_key", "rotate_key"]

APP_SCOPES: Final = frozenset({Scope.INGEST, Scope.CONFIG_READ, Scope.CONFIG_SECRET, Scope.CONFIG_PREVIEW})

# The old key goes on working while the new one is rolled out: a day covers a deploy, and a weekend can be asked for.
ROTATION_OVERLAP: Final = timedelta(days=1)

# How coarse ``last_used_at`` is: fine enough to find unused keys, and no write per call.
USE_IS_NOTED_EVERY: Final = timedelta(hours=1)


class IssuedKey(NamedTuple):
    """A new key's row and its text, which exists nowhere else; the ``repr`` leaves the text out."""

    key: ApiKey
    text: str

    def __repr__(self) -> str:
        return f"IssuedKey({self.key.lookup})"


@transaction.atomic
def issue_key(
    *,
    actor: Actor,
    installation: Installation,
    name: str,
    scopes: Collection[Scope],
    expires_at: datetime | None = None,
) -> IssuedKey:
    """A new key of the installation; show its text once. Needs ``key.manage`` in the tenant.

    Raises ``InvalidDocument`` for a bad name, for no scope or one that apps cannot have, for an expiry in the past.
    """
    require(actor, "key.manage", installation.tenant_id)
    wrong = not scopes or not APP_SCOPES.issuperset(scopes)
    expected = ", ".join(sorted(APP_SCOPES))
    _refuse_bad_key(
        name,
        expires_at,
        FieldError("out_of_range", "scopes", f"expected at least one of {expected}") if wrong else None,
    )
    text = mint(Environment(installation.environment), KeyKind.APP.value)
    key = ApiKey(kind=KeyKind.APP, installation=installation, tenant_id=installation.tenant_id)
    return _store(actor, key, text, name, scopes, expires_at)


@transaction.atomic
def issue_personal_key(*, actor: Actor, user: AbstractUser, name: str, expires_at: datetime | None = None) -> IssuedKey:
    """A new key with which ``user`` acts from scripts; show its text once. People issue their own, while logged in.

    Raises ``InvalidDocument`` for a bad name or an expiry in the past, ``NotAllowed`` for another person's.
    """
    _require_owner(actor, user.pk)
    _refuse_bad_key(name, expires_at)
    text = mint(Environment.PRODUCTION, KeyKind.USER.value)
    return _store(actor, ApiKey(kind=KeyKind.USER, user_id=user.pk), text, name, [Scope.MANAGE], expires_at)


@transaction.atomic
def revoke_key(*, actor: Actor, key: ApiKey) -> ApiKey:
    """The key is refused from the next call on; revoking twice changes nothing.

    An app key needs ``key.manage`` in its tenant; a personal key its owner, or ``people.manage`` in the workspace.
    """
    _require_holder(actor, key)
    bump()
    revoked = ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())
    key.refresh_from_db(fields=["revoked_at"])
    if revoked:
        _record(actor, "key.revoked", key)
    return key


@transaction.atomic
def rotate_key(*, actor: Actor, key: ApiKey, overlap: timedelta = ROTATION_OVERLAP) -> IssuedKey:
    """A new key with the old one's name, scopes and no expiry; the old one works for ``overlap`` more at most.

    Needs what issuing needs. Raises ``Conflict`` if the key is revoked or expired already.
    """
    bump()
    now = timezone.now()
    live = ApiKey.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), pk=key.pk, revoked_at=None)
    # LEAST passes over a null, which is an expiry that never comes.
    if live.update(expires_at=Least("expires_at", Value(now + overlap))) != 1:
        raise Conflict("this key is revoked or expired already")
    key.refresh_from_db(fields=["expires_at"])
    issued = _issue_successor(actor, key)
    _record(actor, "key.rotated", key, successor=issued.key.lookup)
    return issued


def authenticate(text: str) -> ApiKey:
    """The key that ``text`` proves, with ``installation``, its ``tenant`` and ``app``, or with ``user``.

    From here on the transaction's context is the key's: its tenant, or its owner's own rows. Malformed text is refused
    without a query; else five queries, and one more once an hour. Raises ``NotAuthenticated`` with one message for
    every ``reason``: malformed, checksum, unknown, mismatch, revoked, expired, inactive. Raises
    ``TransactionManagementError`` outside a transaction.
    """
    parts = parse(text)
    key = _proven(parts)
    now = timezone.now()
    if key.revoked_at is not None:
        raise refuse("revoked")
    if key.expires_at is not None and key.expires_at <= now:
        raise refuse("expired")
    set_tenant_context(() if key.tenant_id is None else (key.tenant_id,), user_id=key.user_id)
    if not _holder_is_active(key):
        raise refuse("inactive")
    _note_use(key, now)
    return key


def good_until(key: ApiKey) -> datetime:
    """Until when an authenticated key need not be asked for again, if nothing is changed: its expiry, or its next note.

    ``tenants.config_lease`` tells whether anything was changed.
    """
    assert key.last_used_at is not None  # noqa: S101 - authenticating has noted it
    noted_until = key.last_used_at + USE_IS_NOTED_EVERY
    return min(noted_until, key.expires_at or noted_until)


def _issue_successor(actor: Actor, key: ApiKey) -> IssuedKey:
    if key.installation is not None:
        scopes = [Scope(scope) for scope in key.scopes]
        return issue_key(actor=actor, installation=key.installation, name=key.name, scopes=scopes)
    if key.user is not None:
        return issue_personal_key(actor=actor, user=key.user, name=key.name)
    raise AssertionError("a key has an installation or a user; the database sees to it")


def _proven(parts: KeyText) -> ApiKey:
    set_api_key_lookup(parts.lookup)
    key = ApiKey.objects.filter(lookup=parts.lookup, kind=parts.kind).order_by().first()
    # Compared in either case, so that the time does not tell a wrong secret from an unknown key.
    proven = hmac.compare_digest(digest_of(parts.text, _pepper()), key.digest if key else "")
    if key is None:
        raise refuse("unknown")
    if not proven:
        raise refuse("mismatch")
    return key


def _holder_is_active(key: ApiKey) -> bool:
    """Whether the key's tenant or owner is active; loads them, one query."""
    if key.installation_id is None:
        return key.user is not None and key.user.is_active
    key.installation = Installation.objects.select_related("tenant", "app").order_by().get(pk=key.installation_id)
    return key.installation.tenant.is_active


def _note_use(key: ApiKey, now: datetime) -> None:
    noted_before = now - USE_IS_NOTED_EVERY
    if key.last_used_at is not None and key.last_used_at > noted_before:
        return
    # Calls that come together must not queue behind the first one's transaction for the sake of a note.
    free = ApiKey.objects.filter(pk=key.pk).order_by().select_for_update(skip_locked=True).values("pk")
    ApiKey.objects.filter(pk__in=free).update(last_used_at=now)
    key.last_used_at = now


def _store(
    actor: Actor, key: ApiKey, text: KeyText, name: str, scopes: Collection[Scope], expires_at: datetime | None
) -> IssuedKey:
    key.name = name
    key.lookup = text.lookup
    key.digest = digest_of(text.text, _pepper())
    key.scopes = sorted(Scope(scope).value for scope in scopes)
    key.expires_at = expires_at
    key.created_by_label = actor.label
    key.save(force_insert=True)
    _record(actor, "key.issued", key, scopes=key.scopes)
    return IssuedKey(key, text.text)


def _refuse_bad_key(name: str, expires_at: datetime | None, *errors: FieldError | None) -> None:
    past = expires_at is not None and expires_at <= timezone.now()
    refuse_errors(
        "API key",
        line_error("name", name),
        FieldError("out_of_range", "expires_at", "expected an instant in the future") if past else None,
        *errors,
    )


def _require_owner(actor: Actor, user_id: int | None) -> None:
    if actor.kind == ActorKind.SYSTEM or (actor.kind == ActorKind.USER and actor.user_id == user_id):
        return
    raise NotAllowed("people issue their own personal keys, and only while logged in", ability="key.manage")


def _require_holder(actor: Actor, key: ApiKey) -> None:
    if key.tenant_id is not None:
        require(actor, "key.manage", key.tenant_id)
    elif not actor.can("people.manage"):
        _require_owner(actor, key.user_id)


def _record(actor: Actor, action: str, key: ApiKey, **details: str | list[str]) -> None:
    audit.record(actor=actor, action=action, target=key, tenant_id=key.tenant_id, details=details)


def _pepper() -> str:
    if not settings.STUDIO_API_KEY_PEPPER:
        raise ImproperlyConfigured("STUDIO_API_KEY_PEPPER: must be set")
    return str(settings.STUDIO_API_KEY_PEPPER)
