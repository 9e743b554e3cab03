"""Keyed pseudonyms: the same raw value gives the same text, and nobody without the key can compute or reverse it."""

import hashlib
import re
from binascii import b2a_base64
from functools import lru_cache
from typing import Protocol

from telemetry.core.events import PseudonymKey

__all__ = ["OnlyRaw", "Pseudonymiser", "Renaming", "is_pseudonym", "pseudonymiser_for"]

_BLOCK_BYTES = 64
# 128 bits: two of a billion subjects share a pseudonym with a probability below 10**-20.
_PSEUDONYM_BYTES = 16
# Source: RFC 4648, section 5 (base64url).
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
# How ``Pseudonymiser`` writes them.
_FORM = re.compile(r"p[0-9]{1,10}_[A-Za-z0-9_-]{22}").fullmatch


def is_pseudonym(value: object) -> bool:
    """Whether the value is written like a pseudonym, under whatever key."""
    return type(value) is str and _FORM(value) is not None


class Renaming(Protocol):
    """Something that has a pseudonym for every text."""

    def pseudonym(self, text: str, /) -> str:
        """What may be shown instead of the text."""


class Pseudonymiser:
    """Turns raw values into pseudonyms under one key.

    HMAC-SHA-256 with both padded keys hashed once, so that a call costs two copies of a hash state: a third of
    ``hmac.digest``. Source: RFC 2104, section 4 (implementation note). Safe to share between threads.

    ``pseudonym(text)`` is ``p<epoch>_`` and 22 characters of base64url: the first 128 bits of the text's keyed hash.
    Text that is no valid Unicode (lone surrogates) has a pseudonym too. The last 512 answers are remembered, as events
    of one subject come in runs.
    """

    __slots__ = ("_inner", "_outer", "_prefix", "pseudonym")

    def __init__(self, key: PseudonymKey) -> None:
        secret = key.secret if len(key.secret) <= _BLOCK_BYTES else hashlib.sha256(key.secret).digest()
        block = secret.ljust(_BLOCK_BYTES, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))
        self._prefix = f"p{key.epoch}_"
        self.pseudonym = lru_cache(maxsize=512)(self._compute)

    def _compute(self, text: str) -> str:
        inner = self._inner.copy()
        inner.update(text.encode("utf-8", "surrogatepass"))
        outer = self._outer.copy()
        outer.update(inner.digest())
        encoded = b2a_base64(outer.digest()[:_PSEUDONYM_BYTES], newline=False)
        return self._prefix + encoded[:22].translate(_URL_SAFE).decode("ascii")


class OnlyRaw:
    """Gives a pseudonym to every text that is not written like one already."""

    __slots__ = ("_pseudonymiser",)

    def __init__(self, pseudonymiser: Pseudonymiser) -> None:
        self._pseudonymiser = pseudonymiser

    def pseudonym(self, text: str) -> str:
        """The text itself, or its pseudonym."""
        return text if is_pseudonym(text) else self._pseudonymiser.pseudonym(text)


# A server holds one key per tenant and epoch; preparing one again costs microseconds.
@lru_cache(maxsize=256)
def pseudonymiser_for(key: PseudonymKey) -> Pseudonymiser:
    """The pseudonymiser of this key, prepared once and then remembered."""
    return Pseudonymiser(key)
