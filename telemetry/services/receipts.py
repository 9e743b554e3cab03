"""Receipts of what was deleted, archived, erased or held: added to the tenant's chain, signed, and never changed."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import connection
from django.utils import timezone
from msgspec.structs import replace

from telemetry.core.receipts import GENESIS, ReceiptBody, canonical_facts, receipt_digest
from telemetry.core.timestamps import format_timestamp
from telemetry.formats.receipts import Head, ReceiptDocument, ReceiptEntry, head_of
from telemetry.models import Receipt, ReceiptKind
from tenants.actors import Actor
from tenants.models import Tenant

__all__ = ["export_receipts", "record_receipt", "record_receipts"]

_PURPOSE: Final = b"studio receipts"
# One at a time for each tenant: two would both follow the same one.
LOCK: Final = """
SELECT pg_advisory_xact_lock(hashtextextended('studio_receipts', tenant.id)) FROM unnest(%s::bigint[]) AS tenant (id)
"""
LAST: Final = """
SELECT last.* FROM unnest(%s::bigint[]) AS tenant (id)
CROSS JOIN LATERAL (
    SELECT tenant_id, sequence, digest FROM telemetry_receipt
    WHERE tenant_id = tenant.id ORDER BY sequence DESC LIMIT 1
) AS last
"""


def record_receipt(*, tenant: Tenant, kind: ReceiptKind, facts: Mapping[str, Any], actor: Actor) -> Receipt:
    """One more receipt ends the tenant's chain, in the caller's transaction, whose context shows the tenant.

    ``facts`` hold counts, ids, digests and words of ours, never personal data; whole numbers only. The tenant's chain
    is locked until the transaction ends, so call this last. Three queries. Raises ``ValueError`` for fractions.
    """
    (receipt,) = record_receipts([(tenant, facts)], kind=kind, actor=actor)
    return receipt


def record_receipts(
    entries: Sequence[tuple[Tenant, Mapping[str, Any]]], *, kind: ReceiptKind, actor: Actor
) -> list[Receipt]:
    """``record_receipt`` for several tenants, with the facts of each; a tenant once. Three queries altogether."""
    # Always in the same order, so that two who record for the same tenants never wait for each other.
    tenants = sorted(tenant.pk for tenant, _ in entries)
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [tenants])
        # What was added before the locks were ours is seen by the next statement, not by that one.
        cursor.execute(LAST, [tenants])
        ends = {tenant_id: (sequence, digest) for tenant_id, sequence, digest in cursor.fetchall()}
    return Receipt.objects.bulk_create(
        [_next(tenant, ends.get(tenant.pk, (0, GENESIS)), facts, kind, actor) for tenant, facts in entries]
    )


def _next(tenant: Tenant, end: tuple[int, str], facts: Mapping[str, Any], kind: ReceiptKind, actor: Actor) -> Receipt:
    """The receipt that follows the one with this number and digest, signed."""
    last, previous = end
    recorded_at = timezone.now()
    body = ReceiptBody(
        tenant=tenant.slug,
        sequence=last + 1,
        kind=kind.value,
        recorded_at=format_timestamp(recorded_at),
        actor=f"{actor.kind} {actor.id}".strip(),
        facts=canonical_facts(facts),
        previous=previous,
    )
    digest = receipt_digest(body)
    key, public_key = _key()
    return Receipt(
        tenant=tenant,
        sequence=body.sequence,
        kind=kind,
        recorded_at=recorded_at,
        actor=body.actor,
        facts=body.facts,
        previous=body.previous,
        digest=digest,
        public_key=public_key,
        signature=base64.b64encode(key.sign(bytes.fromhex(digest))).decode("ascii"),
    )


def export_receipts(tenant: Tenant) -> bytes:
    """All receipts of the tenant as the file that ``studio verify-receipts`` checks, JSON in UTF-8; one query."""
    entries = tuple(
        ReceiptEntry(
            sequence=row.sequence,
            kind=row.kind,
            recorded_at=format_timestamp(row.recorded_at),
            actor=row.actor,
            facts=row.facts,
            previous=row.previous,
            digest=row.digest,
            public_key=row.public_key,
            signature=row.signature,
        )
        for row in Receipt.objects.filter(tenant=tenant).order_by("sequence")
    )
    document = ReceiptDocument(tenant=tenant.slug, head=Head(sequence=0, digest=GENESIS), receipts=entries)
    return msgspec.json.format(msgspec.json.encode(replace(document, head=head_of(document))), indent=2)


def _key() -> tuple[Ed25519PrivateKey, str]:
    return _key_of(next(iter(settings.STUDIO_RECEIPT_KEYS), settings.SECRET_KEY))


@lru_cache(maxsize=4)
def _key_of(secret: str) -> tuple[Ed25519PrivateKey, str]:
    """The private key, and the public one in base64."""
    key = Ed25519PrivateKey.from_private_bytes(hmac.digest(secret.encode(), _PURPOSE, hashlib.sha256))
    return key, base64.b64encode(key.public_key().public_bytes_raw()).decode("ascii")
