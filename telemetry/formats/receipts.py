"""Receipts as a file that an outsider checks: every link, every signature, and that nothing is missing."""

import base64
import binascii
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from telemetry.core.codec import decode_document
from telemetry.core.receipts import GENESIS, ReceiptBody, receipt_digest

__all__ = [
    "Head",
    "ReceiptDocument",
    "ReceiptEntry",
    "ReceiptProblem",
    "head_of",
    "read_head",
    "read_receipts",
    "verify_receipts",
]

Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Whole = Annotated[int, msgspec.Meta(ge=0)]


class ReceiptEntry(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """One receipt: what its hash is made of, the hash, and the signature over it, with the key that it fits."""

    sequence: Whole
    kind: str
    recorded_at: str
    actor: str
    facts: dict[str, Any]
    previous: Digest
    digest: Digest
    public_key: str
    signature: str


class Head(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The last receipt that there was at some time: whoever noted it finds out that one was taken away since."""

    sequence: Whole
    digest: Digest

    def __str__(self) -> str:
        return f"{self.sequence}:{self.digest}"


class ReceiptDocument(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """All receipts of a tenant, the first one first."""

    format: Literal[1] = 1
    tenant: str
    head: Head
    receipts: tuple[ReceiptEntry, ...] = ()


class ReceiptProblem(NamedTuple):
    """What is wrong, at the receipt of this number (0: with the file as a whole)."""

    sequence: int
    message: str


def read_receipts(data: bytes) -> ReceiptDocument:
    """The document in a file; raises ``InvalidDocument``."""
    return decode_document(data, ReceiptDocument, what="file of receipts", format="json")


def head_of(document: ReceiptDocument) -> Head:
    """The last receipt that is in the document."""
    if not document.receipts:
        return Head(sequence=0, digest=GENESIS)
    last = document.receipts[-1]
    return Head(sequence=last.sequence, digest=last.digest)


def read_head(text: str) -> Head:
    """The head in ``sequence:digest``, or in the digest of the head alone; raises ``ValueError``."""
    sequence, separator, digest = text.strip().partition(":")
    if not separator:
        raise ValueError("a head is the number of a receipt, a colon and its digest")
    try:
        return msgspec.convert({"sequence": int(sequence), "digest": digest}, Head)
    except (ValueError, msgspec.ValidationError):
        raise ValueError("a head is the number of a receipt, a colon and its digest") from None


def verify_receipts(
    document: ReceiptDocument, *, head: Head | None = None, trusted_keys: Collection[str] = ()
) -> list[ReceiptProblem]:
    """Everything that shows that a receipt was changed, taken away, added or moved; empty if nothing does.

    Each receipt is hashed anew, has to name the hash of the one before it and the number after it, and to be signed
    under its key. With ``trusted_keys`` (base64), no other key will do: without them, somebody who holds no key of the
    studio could write a whole new chain under one of their own. With ``head``, which was noted earlier, the receipts
    have to reach that far and to be the same there: only so does it show that the last ones are missing.
    """
    problems: list[ReceiptProblem] = []
    expected = Head(sequence=0, digest=GENESIS)
    for receipt in document.receipts:
        problems += _problems_of(receipt, document.tenant, expected, trusted_keys)
        expected = Head(sequence=receipt.sequence, digest=receipt.digest)
    if document.head != head_of(document):
        problems.append(ReceiptProblem(0, "the last receipt is not the one that the file calls its head"))
    if head is not None:
        problems += _against(document, head)
    return problems


def _problems_of(
    receipt: ReceiptEntry, tenant: str, before: Head, trusted_keys: Collection[str]
) -> list[ReceiptProblem]:
    found = []
    if receipt.sequence != before.sequence + 1:
        found.append(f"follows number {before.sequence}: receipts are missing, added or out of order")
    if receipt.previous != before.digest:
        found.append("does not follow the receipt before it: one was changed, taken away, added or moved")
    if _digest_of(receipt, tenant) != receipt.digest:
        found.append("its content is not what was hashed: it was changed")
    if not _is_signed(receipt):
        found.append("its signature does not fit")
    if trusted_keys and receipt.public_key not in trusted_keys:
        found.append("is signed under a key that is not among those given")
    return [ReceiptProblem(receipt.sequence, message) for message in found]


def _digest_of(receipt: ReceiptEntry, tenant: str) -> str:
    fields: Mapping[str, Any] = {
        name: getattr(receipt, name) for name in ReceiptBody.__struct_fields__ if name != "tenant"
    }
    try:
        return receipt_digest(ReceiptBody(tenant=tenant, **fields))
    except (ValueError, TypeError):
        return ""


def _is_signed(receipt: ReceiptEntry) -> bool:
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(receipt.public_key, validate=True))
        key.verify(base64.b64decode(receipt.signature, validate=True), bytes.fromhex(receipt.digest))
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def _against(document: ReceiptDocument, head: Head) -> list[ReceiptProblem]:
    last = head_of(document)
    if last.sequence < head.sequence:
        return [
            ReceiptProblem(0, f"ends at number {last.sequence}, and there were {head.sequence}: the last are missing")
        ]
    there = next((each for each in document.receipts if each.sequence == head.sequence), None)
    if head.sequence and (there is None or there.digest != head.digest):
        return [ReceiptProblem(head.sequence, "is not the receipt whose digest was noted: the chain was written anew")]
    return []
