"""Receipts: what proves that something was deleted, archived or held, each tied to the one before it by a hash."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec

__all__ = ["FORMAT", "GENESIS", "ReceiptBody", "canonical_facts", "receipt_digest"]

FORMAT: Final = 1
# What the first receipt of a tenant names as the one before it.
GENESIS: Final = "0" * 64


class ReceiptBody(msgspec.Struct, frozen=True, kw_only=True):
    """What the hash of a receipt is made of.

    ``sequence`` counts from 1 within the tenant. ``recorded_at`` is an instant of RFC 3339 in UTC.
    ``facts`` are counts, ids, digests and words of ours. ``previous`` is the hash of the receipt before, in hex.
    """

    tenant: str
    sequence: int
    kind: str
    recorded_at: str
    actor: str
    facts: Mapping[str, Any]
    previous: str


def receipt_digest(body: ReceiptBody) -> str:
    """SHA-256 of the body's canonical form, in hex.

    Canonical: JSON in UTF-8 with sorted keys, no white space, and only what ``canonical_facts`` allows, so that equal
    bodies have equal bytes in every language. Source: RFC 8785 for what it leaves of JSON (no fractions).
    """
    content = {"format": FORMAT, **{field: getattr(body, field) for field in body.__struct_fields__}}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def canonical_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts as plain data; raises ``ValueError`` for what has no single way to be written, such as fractions."""
    return {_key(key): _plain(value) for key, value in facts.items()}


def _plain(value: object) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    # Beyond 2**53 other languages read another number.
    if isinstance(value, int) and abs(value) <= 2**53:
        return value
    if isinstance(value, Mapping):
        return {_key(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    raise ValueError(f"a fact of a receipt must not be a {type(value).__name__}")


def _key(key: object) -> str:
    # Sorted by code point and by UTF-16 unit alike.
    if not isinstance(key, str) or not key.isascii():
        raise ValueError("names of facts are ASCII text")
    return key
